//! Lies about forms: what a form shows or breaks is forgotten before the operation sees it.

use super::requests::{correct_md5, forget_triple, forget_triple_without_algorithm};
use crate::request::S3Request;
use crate::request::form::Broken;

/// Stores what a form shows a key for as if it showed none.
pub(super) fn forget_key(request: &mut S3Request) {
    if request.form.is_some() {
        forget_triple(request);
    }
}

pub(super) fn forget_partial_triple(request: &mut S3Request) {
    if request.form.is_some() {
        forget_triple_without_algorithm(request);
    }
}

pub(super) fn forget_md5(request: &mut S3Request) {
    if request.form.is_some() {
        correct_md5(request);
    }
}

/// Forgets how a form breaks its policy, if it does so in this way.
fn forget_breach(request: &mut S3Request, way: Broken) {
    if let Some(form) = &mut request.form
        && form
            .breach
            .as_ref()
            .is_some_and(|breach| breach.broken == way)
    {
        form.breach = None;
    }
}

pub(super) fn forget_conditions(request: &mut S3Request) {
    forget_breach(request, Broken::Condition);
}

pub(super) fn forget_uncovered(request: &mut S3Request) {
    forget_breach(request, Broken::Uncovered);
}

pub(super) fn forget_expiry(request: &mut S3Request) {
    forget_breach(request, Broken::Expired);
}
