//! The folder of a catalogue of a test's own.

use std::fs;
use std::path::Path;

/// Makes `folder` one: the outcomes and the dialect of AWS of the catalogue `around`, and room for
/// suites.
pub(crate) fn lay_out(around: &Path, folder: &Path) {
    for name in ["suites", "dialects"] {
        fs::create_dir_all(folder.join(name)).unwrap();
    }
    for name in ["outcomes.yaml", "dialects/aws.yaml"] {
        fs::copy(around.join(name), folder.join(name)).unwrap();
    }
}
