//! One sealed body to try things on: its key, its place and its name.

use reference_server::sealed::data_key::{BodyName, ObjectKey, Place, seal_under};
use reference_server::sealed::envelope::{Envelope, HolderKind, WriteId};

pub(crate) const CUSTOMER_KEY: [u8; 32] = [0x4b; 32];
pub(crate) const PLACE: Place<'static> = Place {
    bucket: "bucket",
    object: "object",
};
pub(crate) const NAME: BodyName = BodyName {
    id: WriteId([0xa0; 16]),
    part: 0,
};

/// The envelope of the write, and the key of its object.
pub(crate) fn sealed_under_its_key() -> (Envelope, ObjectKey) {
    under(PLACE, 0xa0, 7)
}

/// Of a write at another place, by another id or with another salt.
pub(crate) fn under(place: Place<'_>, write: u8, salt: u8) -> (Envelope, ObjectKey) {
    let (customer, write) = (HolderKind::Customer, WriteId([write; 16]));
    seal_under(&CUSTOMER_KEY, customer, place, write, [salt; 32])
}
