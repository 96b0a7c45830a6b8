//! What bounds and margins alone say: cells that can only have one value, and cells that have nothing to do with each
//! other. A search goes through each group apart: what one tries does not multiply with what another tries.

use super::simplex::{FREE, Simplex};

/// Columns in groups that share no margin, smallest first, and the value of each column that is in none.
pub(crate) struct Groups {
    pub(crate) members: Vec<Vec<usize>>,
    pub(crate) forced: Vec<Option<i64>>,
}

impl Groups {
    /// The groups at the start of a search. If bounds and margins contradict each other, all columns are one group.
    pub(crate) fn of(simplex: &Simplex) -> Self {
        let columns = simplex.cell_of.len();
        let Some((least, most)) = narrowed(simplex) else {
            return Self { members: vec![(0..columns).collect()], forced: vec![None; columns] };
        };
        let forced: Vec<Option<i64>> =
            least.iter().zip(&most).map(|(least, most)| (least == most).then_some(*least)).collect();
        let mut root: Vec<usize> = (0..simplex.height()).collect();
        for column in (0..columns).filter(|column| forced[*column].is_none()) {
            let rows = simplex.rows_of(column);
            for row in rows {
                let (one, other) = (find(&mut root, rows[0] as usize), find(&mut root, *row as usize));
                root[one] = other;
            }
        }
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); root.len()];
        for column in (0..columns).filter(|column| forced[*column].is_none()) {
            members[find(&mut root, simplex.rows_of(column)[0] as usize)].push(column);
        }
        members.retain(|members| !members.is_empty());
        members.sort_by_key(Vec::len);
        Self { members, forced }
    }
}

fn find(root: &mut [usize], mut node: usize) -> usize {
    while root[node] != node {
        root[node] = root[root[node]];
        node = root[node];
    }
    node
}

/// The bounds that the margins leave, or `None` if they leave none to some column.
fn narrowed(simplex: &Simplex) -> Option<(Vec<i64>, Vec<i64>)> {
    const MAX_ROUNDS: usize = 100;
    let columns = simplex.cell_of.len();
    let targets = simplex.targets();
    let (mut least, mut most) = (simplex.least.clone(), simplex.most.clone());
    for _ in 0..MAX_ROUNDS {
        if simplex.is_over_after(columns) {
            return None;
        }
        // What the columns of each row come to at least and at most; how many of them have no greatest.
        let mut low = vec![0_i64; targets.len()];
        let mut high = vec![(0_i64, 0_usize); targets.len()];
        for column in 0..columns {
            for row in simplex.rows_of(column) {
                let row = *row as usize;
                low[row] = low[row].checked_add(least[column])?;
                match most[column] {
                    FREE => high[row].1 += 1,
                    most => high[row].0 = high[row].0.checked_add(most)?,
                }
            }
        }
        let mut changed = false;
        for column in 0..columns {
            let (from, to) = (least[column], most[column]);
            let (mut narrow_from, mut narrow_to) = (from, to);
            for row in simplex.rows_of(column) {
                let row = *row as usize;
                narrow_to = narrow_to.min(targets[row].checked_sub(low[row])?.checked_add(from)?);
                let others = high[row].1 - usize::from(to == FREE);
                if others == 0 {
                    let others = high[row].0 - if to == FREE { 0 } else { to };
                    narrow_from = narrow_from.max(targets[row].checked_sub(others)?);
                }
            }
            if narrow_from > narrow_to {
                return None;
            }
            changed |= (narrow_from, narrow_to) != (from, to);
            (least[column], most[column]) = (narrow_from, narrow_to);
            if (narrow_from, narrow_to) != (from, to) {
                for row in simplex.rows_of(column) {
                    let row = *row as usize;
                    low[row] += narrow_from - from;
                    match to {
                        FREE => high[row] = (high[row].0.checked_add(narrow_to)?, high[row].1 - 1),
                        to => high[row].0 -= to - narrow_to,
                    }
                }
            }
        }
        if !changed {
            break;
        }
    }
    Some((least, most))
}
