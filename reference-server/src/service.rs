//! Puts a service together from its configuration: store, seams, operations.

use crate::config::Config;
use crate::impostor::Impostor;
use crate::operation::{BucketSettings, Operations, bucket_name};
use crate::seam::Seams;
use crate::server::StartError;
use crate::store::{SsecUse, Store, StoreSettings};

/// Opens the store, behind the impostor that the configuration names, if it does, and makes the
/// buckets that are to be there from the start. Blocks while the store is opened.
///
/// # Errors
/// [`StartError::DataDir`] and [`StartError::Config`].
pub async fn open(config: &Config) -> Result<Operations, StartError> {
    let impostor = match &config.impostor {
        None => None,
        Some(name) => Some(Impostor::by_name(name).ok_or_else(|| {
            let message = format!("there is no impostor `{name}`; --list-impostors lists them");
            StartError::Config(message)
        })?),
    };
    let damaged = |reason: String| StartError::DataDir {
        path: config.data_dir.clone(),
        reason,
    };
    let settings = StoreSettings {
        data_dir: config.data_dir.clone(),
        dialect: config.dialect,
        server_key_file: None,
    };
    let store = Store::open(&settings).map_err(|error| damaged(error.to_string()))?;
    let seams = match impostor {
        None => Seams::honest(&store),
        Some(impostor) => impostor.take_place(&store, &config.data_dir),
    };
    let new_buckets = if config.block_ssec {
        SsecUse::Blocked
    } else {
        SsecUse::Allowed
    };
    for name in &config.buckets {
        if !bucket_name::is_valid(name) {
            return Err(StartError::Config(format!(
                "`{name}` is no name for a bucket: 3 to 63 lower-case letters, digits, dots and \
                 hyphens, the last two not at the ends"
            )));
        }
        let made = store.create_bucket(name, new_buckets).await;
        made.map_err(|error| damaged(format!("cannot make the bucket `{name}`: {error}")))?;
    }
    Ok(Operations {
        dialect: config.dialect,
        region: config.region.clone(),
        new_buckets,
        settings: BucketSettings::default(),
        store,
        seams,
    })
}
