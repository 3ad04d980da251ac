//! AWS's own signer, set up as S3 wants it: paths encoded once and never normalised.

use std::time::Duration;

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SessionTokenMode, SignableBody, SignableRequest,
    SignatureLocation, SigningInstructions, SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;

use super::chunked::STREAMING;
use super::{Hash, Signable, Signer, signing};
use crate::error::OurError;
use crate::s3::request::encode_query;

/// The headers that authenticate the request.
pub(super) fn in_headers(
    signer: &Signer<'_>,
    signable: &Signable<'_>,
) -> Result<Vec<(String, String)>, OurError> {
    let mut settings = settings(SignatureLocation::Headers);
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let instructions = instructions(signer, signable, settings)?;
    let headers = instructions.headers();
    Ok(headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}

/// The query parameters that authenticate the request, `X-Amz-Signature` last.
pub(super) fn in_query(
    signer: &Signer<'_>,
    signable: &Signable<'_>,
    expires: Duration,
) -> Result<Vec<(String, String)>, OurError> {
    let mut settings = settings(SignatureLocation::QueryParams);
    settings.expires_in = Some(expires);
    let instructions = instructions(signer, signable, settings)?;
    let parameters = instructions.params().iter();
    Ok(parameters
        .map(|(name, value)| ((*name).to_owned(), value.to_string()))
        .collect())
}

fn settings(location: SignatureLocation) -> SigningSettings {
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.session_token_mode = SessionTokenMode::Include;
    settings.signature_location = location;
    // What is to be covered is chosen by our caller, header by header.
    settings.excluded_headers = None;
    settings
}

fn instructions(
    signer: &Signer<'_>,
    signable: &Signable<'_>,
    settings: SigningSettings,
) -> Result<SigningInstructions, OurError> {
    let credentials = signer.credentials;
    let identity = aws_credential_types::Credentials::new(
        &credentials.access_key_id,
        credentials.expose_secret(),
        credentials.expose_session_token().map(str::to_owned),
        None,
        "ssec",
    )
    .into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(signer.region)
        .name("s3")
        .time(signable.at)
        .settings(settings)
        .build()
        .map_err(signing)?
        .into();
    let text = |value: &[u8]| String::from_utf8(value.to_vec()).map_err(signing);
    let headers: Vec<(String, String)> = signable
        .headers
        .iter()
        .map(|(name, value)| Ok((name.to_ascii_lowercase(), text(value)?)))
        .collect::<Result<_, OurError>>()?;
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let url = if signable.query.is_empty() {
        signable.url.to_owned()
    } else {
        format!("{}?{}", signable.url, encode_query(signable.query))
    };
    let body = match signable.payload {
        Hash::Unsigned => SignableBody::UnsignedPayload,
        Hash::Streaming => SignableBody::Precomputed(STREAMING.to_owned()),
        Hash::Of(body) => SignableBody::Bytes(body),
    };
    let request = SignableRequest::new(signable.method, url, headers, body).map_err(signing)?;
    // The signer traces the whole request, customer key included: whatever a user's filter says,
    // nobody listens while it works.
    let output =
        tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::default(), || {
            sign(request, &params)
        });
    Ok(output.map_err(signing)?.into_parts().0)
}
