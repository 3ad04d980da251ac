//! Scenario files, good and bad: the catalogue has no mistake, each kind of mistake has its message.

use std::path::{Path, PathBuf};

use harness::scenario::catalog::Catalog;

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_committed_catalogue_has_no_mistake() {
    let folder: PathBuf = crate_folder().join("../scenarios");
    match Catalog::read(&folder) {
        Ok(catalog) => println!("{} trials", catalog.trials().len()),
        Err(diagnostics) => panic!("{} mistakes\n\n{diagnostics}", diagnostics.len()),
    }
}
