//! Which cells can only have one value, whatever table is chosen: those that no cycle of other cells passes.
//! Found by strongly connected components (Tarjan), with a stack of its own.

/// For each cell at one of its bounds, whether it is there in every table. `values` must meet the margins.
pub(crate) fn fixed(values: &[i64], least: &[i64], most: &[i64], rows: usize, columns: usize) -> Vec<bool> {
    let component = components(values, least, most, rows, columns);
    let at_bound = |cell: usize| values[cell] == least[cell] || values[cell] == most[cell];
    let apart = |cell: usize| component[cell / columns] != component[rows + cell % columns];
    (0..values.len()).map(|cell| at_bound(cell) && apart(cell)).collect()
}

/// The number of the component of each row and column: a row leads to a column where a cell may rise,
/// a column to a row where one may fall.
fn components(values: &[i64], least: &[i64], most: &[i64], rows: usize, columns: usize) -> Vec<usize> {
    const UNSEEN: usize = usize::MAX;
    let nodes = rows + columns;
    let side = |node: usize| if node < rows { (rows, nodes) } else { (0, rows) };
    let leads = |from: usize, to: usize| {
        if from < rows {
            let cell = from * columns + to - rows;
            values[cell] < most[cell]
        } else {
            let cell = to * columns + from - rows;
            values[cell] > least[cell]
        }
    };
    let (mut order, mut low, mut component) = (vec![UNSEEN; nodes], vec![0; nodes], vec![UNSEEN; nodes]);
    let mut next: Vec<usize> = (0..nodes).map(|node| side(node).0).collect();
    let (mut seen, mut found) = (0, 0);
    let (mut open, mut path) = (Vec::new(), Vec::new());
    for root in 0..nodes {
        if order[root] != UNSEEN {
            continue;
        }
        path.push(root);
        while let Some(node) = path.last().copied() {
            if order[node] == UNSEEN {
                (order[node], low[node]) = (seen, seen);
                seen += 1;
                open.push(node);
            }
            let end = side(node).1;
            let mut deeper = None;
            while next[node] < end {
                let to = next[node];
                if leads(node, to) {
                    if order[to] == UNSEEN {
                        deeper = Some(to);
                        break;
                    }
                    if component[to] == UNSEEN {
                        low[node] = low[node].min(low[to]);
                    }
                }
                next[node] += 1;
            }
            if let Some(to) = deeper {
                path.push(to);
                continue;
            }
            path.pop();
            if let Some(before) = path.last() {
                low[*before] = low[*before].min(low[node]);
            }
            if low[node] == order[node] {
                while let Some(member) = open.pop() {
                    component[member] = found;
                    if member == node {
                        break;
                    }
                }
                found += 1;
            }
        }
    }
    component
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_without_a_cycle_is_fixed() {
        // A free two by two turns in a circle.
        assert_eq!(fixed(&[3, 0, 2, 5], &[0; 4], &[9; 4], 2, 2), [false; 4]);
        // The upper right is full and the lower left empty: neither can change without the other.
        assert_eq!(fixed(&[1, 1, 0, 4], &[0; 4], &[9, 1, 9, 9], 2, 2), [false, true, true, false]);
    }
}
