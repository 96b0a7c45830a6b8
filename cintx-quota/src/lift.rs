//! A table with joint margins as one that has only margins of single axes: each margin becomes an axis.
//! Cells whose categories contradict each other, where margins share an axis, are excluded.

use crate::apportion::Apportionment;
use crate::axis::Targets;
use crate::error::SolveError;
use crate::fit::Fit;
use crate::proof::{Proof, Step};
use crate::shape::Shape;
use crate::table::{Kept, Labelled, Table};

/// The table of margins, and where the cells of the table asked for are in it.
pub(crate) struct Lifted {
    pub(crate) table: Table,
    cells: Vec<u32>,
}

impl Kept {
    /// The labels of its combinations.
    pub(crate) fn labels(&self, axes: &[Labelled]) -> Vec<String> {
        let mut labels = vec![String::new()];
        for (at, axis) in self.axes.iter().enumerate() {
            let sign = if at == 0 { "" } else { " × " };
            let extended = |before: &String| -> Vec<String> {
                axes[*axis].labels.iter().map(|label| format!("{before}{sign}{label}")).collect()
            };
            labels = labels.iter().flat_map(extended).collect();
        }
        labels
    }
}

/// How many cells the table of margins may have: some lists of that length fit into the memory of any machine.
pub(crate) const MAX_LIFTED_CELLS: usize = 20_000_000;

/// The shape of the table that has a margin for each axis; `None` if it is too large.
pub(crate) fn shape_of(margins: &[Kept]) -> Option<Shape> {
    let lengths: Vec<usize> = margins.iter().map(|margin| margin.counts.len()).collect();
    Shape::new(lengths).filter(|shape| shape.cells() <= MAX_LIFTED_CELLS)
}

impl Lifted {
    /// `None` for a table without joint margins.
    pub(crate) fn of(table: &Table) -> Option<Self> {
        if table.kept.is_empty() {
            return None;
        }
        let shape = shape_of(&table.kept)?;
        let mut cells = vec![0_u32; table.shape.cells()];
        for margin in &table.kept {
            let length = u32::try_from(margin.counts.len()).ok()?;
            for (cell, slice) in cells.iter_mut().zip(table.shape.slices_within(&margin.axes, &table.budget)?) {
                *cell = *cell * length + slice;
            }
        }
        let axis = |margin: &Kept| Labelled {
            name: margin.axes.iter().map(|axis| table.axes[*axis].name.as_str()).collect::<Vec<_>>().join(" × "),
            labels: margin.labels(&table.axes),
            targets: Apportionment { counts: margin.counts.clone(), rounded: Vec::new() },
            asked: Targets::Joint,
            give: None,
        };
        let lifted = Table {
            total: table.total,
            axes: table.kept.iter().map(axis).collect(),
            shape,
            seed: None,
            least: Vec::new(),
            most: Vec::new(),
            sweeps: table.sweeps,
            budget: table.budget.clone(),
            kept: Vec::new(),
            joints: Vec::new(),
            raised: None,
        };
        let mut lifted = Self { table: lifted, cells };
        lifted.table.seed = table.seed.as_ref().map(|seed| lifted.list(seed, 0.0));
        if !table.least.is_empty() {
            lifted.table.least = lifted.list(&table.least, 0);
        }
        let has_gaps = lifted.table.shape.cells() > table.shape.cells();
        if has_gaps || !table.most.is_empty() {
            let most: Vec<u64> = (0..table.shape.cells()).map(|cell| table.most_of(cell)).collect();
            lifted.table.most = lifted.list(&most, 0);
        }
        Some(lifted)
    }

    /// One number for each cell of the lifted table.
    pub(crate) fn list<T: Copy>(&self, list: &[T], outside: T) -> Vec<T> {
        self.table.budget.is_over_after(list.len() as u64);
        let mut lifted = vec![outside; self.table.shape.cells()];
        for (cell, entry) in self.cells.iter().zip(list) {
            lifted[*cell as usize] = *entry;
        }
        lifted
    }

    /// One number for each cell of the table asked for.
    pub(crate) fn back<T: Copy>(&self, lifted: &[T]) -> Vec<T> {
        self.table.budget.is_over_after(self.cells.len() as u64);
        self.cells.iter().filter_map(|cell| lifted.get(*cell as usize).copied()).collect()
    }

    pub(crate) fn fit_back(&self, fit: Fit) -> Fit {
        Fit { cells: self.back(&fit.cells), ..fit }
    }

    /// The same reason, about the cells of the table asked for.
    pub(crate) fn reason_back(&self, table: &Table, error: SolveError) -> SolveError {
        let SolveError::Infeasible(proof) = error else { return error };
        let Proof { mut steps } = *proof;
        for step in &mut steps {
            let Step::Split(split) = step else { continue };
            let lifted = self.table.shape.index(&split.cell).and_then(|cell| u32::try_from(cell).ok());
            // Only open cells are split, and those belong to one of the table asked for.
            if let Some(cell) = self.cells.iter().position(|cell| Some(*cell) == lifted) {
                split.cell = table.shape.position(cell);
                let labels =
                    split.cell.iter().enumerate().filter_map(|(axis, at)| table.labels(axis).get(*at).cloned());
                split.labels = labels.collect();
            }
        }
        SolveError::Infeasible(Box::new(Proof { steps }))
    }
}
