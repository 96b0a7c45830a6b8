//! A project's id is no target group's, a supplier no business unit, and text no number.

fn run(cint: cintx::Client<cintx::V2025_12_18>, id: cintx::ProjectId, supplier: cintx::SupplierId) {
    let scope = cint.project(&id);
    let _ = scope.target_group(&id);
    let _ = scope.draft_target_group("UK pets").business_unit(supplier);
    let _ = scope.draft_target_group("UK pets").completes_goal("500");
}

fn main() {}
