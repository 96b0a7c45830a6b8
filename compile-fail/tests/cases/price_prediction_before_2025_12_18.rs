//! Price predictions came with 2025-12-18.

fn run(cint: cintx::Client<cintx::V2025_02_17>, price: cintx::Money) {
    let _ = cint.predict_dynamic_price(3848, &price);
}

fn main() {}
