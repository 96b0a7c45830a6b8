//! The structure of `cintx`, held by tests: what stands at its root, and that each module says what it is for.

use std::path::{Path, PathBuf};

use syn::{Item, UseTree, Visibility};

/// The most names that the root may export; `docs/decisions.md` has what comparable crates export.
const MAX_ROOT_NAMES: usize = 40;

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../cintx/src")
}

fn parsed(path: &Path) -> syn::File {
    let text = std::fs::read_to_string(path).unwrap();
    syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn names(tree: &UseTree, out: &mut Vec<String>) {
    match tree {
        UseTree::Path(path) => names(&path.tree, out),
        UseTree::Name(name) => out.push(name.ident.to_string()),
        UseTree::Rename(rename) => out.push(rename.rename.to_string()),
        UseTree::Group(group) => group.items.iter().for_each(|tree| names(tree, out)),
        // The markers of the versions that are switched on.
        UseTree::Glob(_) => out.extend(["V2024_12_02", "V2025_02_17", "V2025_12_18"].map(str::to_owned)),
    }
}

#[test]
fn the_root_exports_few_names() {
    let mut exported = Vec::new();
    for item in parsed(&source().join("lib.rs")).items {
        if let Item::Use(item) = item
            && matches!(item.vis, Visibility::Public(_))
        {
            names(&item.tree, &mut exported);
        }
    }
    assert!(exported.iter().any(|name| name == "Client"), "{exported:?}");
    assert!(exported.len() <= MAX_ROOT_NAMES, "{} names at the root: {exported:?}", exported.len());
}

#[test]
fn every_module_says_what_lives_there() {
    let mut folders = vec![source()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files += 1;
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(text.starts_with("//! "), "{} does not say what lives there", path.display());
            }
        }
    }
    assert!(files > 50, "only {files} files were read");
}
