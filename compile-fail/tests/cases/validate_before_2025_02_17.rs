//! Validation without creating anything came with 2025-02-17.

fn run(cint: cintx::Client<cintx::V2024_12_02>, audience: cintx::audience::Audience, locale: cintx::Locale) {
    let _ = cint.validate(&audience, 500, &locale);
}

fn main() {}
