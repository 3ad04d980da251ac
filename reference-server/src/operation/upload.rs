//! What the operations on a multipart upload have in common: finding it, and proving its key.

use super::{Operations, object_of, writing};
use crate::checksum::ChecksumAlgorithm;
use crate::request::S3Request;
use crate::s3_error::{Code, S3Error};
use crate::seam::{FoundUpload, OpenedUpload, UploadFacts};
use crate::ssec::customer_key::Holder;
use crate::ssec::dialect::Dialect;
use crate::ssec::headers::SsecHeaders;
use crate::ssec::policy::{self, Access, Intent, Stored, Sums};
use crate::store::{ChecksumKind, DeclaredChecksum, HolderKind};

/// The upload that a request names.
pub(super) struct Named {
    pub(super) bucket: String,
    pub(super) object: String,
    pub(super) id: String,
    pub(super) facts: UploadFacts,
    found: Box<dyn FoundUpload>,
}

/// An upload as far as the request may use it.
pub(super) enum Usable {
    /// Without its key.
    Found(Box<dyn FoundUpload>),
    /// With its key.
    Opened(Box<dyn OpenedUpload>),
}

impl Named {
    /// Finds the upload.
    ///
    /// # Errors
    /// 404 `NoSuchUpload`.
    pub(super) async fn find(
        operations: &Operations,
        request: &S3Request,
    ) -> Result<Self, S3Error> {
        let (bucket, object) = object_of(request)?;
        let id = request.query.get("uploadId").unwrap_or_default();
        let objects = &operations.seams.objects;
        let found = objects.look_up_upload(bucket, object, id).await;
        let found = found.map_err(|error| match S3Error::from(error) {
            error if error.code() == Code::NoSuchUpload => error.detail("UploadId", id),
            error => error,
        })?;
        Ok(Self {
            bucket: bucket.to_owned(),
            object: object.to_owned(),
            id: id.to_owned(),
            facts: found.facts(),
            found,
        })
    }

    /// The checksum that is kept of parts and of the object: the declared one, else CRC64NVME of a
    /// plain upload where the dialect adds one (contract section 3.2; under a customer key none).
    pub(super) fn kept_checksum(&self, dialect: Dialect) -> Option<DeclaredChecksum> {
        let added = match self.facts.holder {
            HolderKind::Server => dialect.facts().adds_checksum,
            HolderKind::Customer => false,
        };
        let by_default = added.then_some(DeclaredChecksum {
            algorithm: ChecksumAlgorithm::Crc64Nvme,
            kind: ChecksumKind::FullObject,
        });
        self.facts.checksum.or(by_default)
    }

    fn created(&self) -> Stored {
        match self.facts.holder {
            HolderKind::Customer => Stored::Ssec,
            HolderKind::Server => Stored::Plain,
        }
    }

    /// Proves the key for a part.
    ///
    /// # Errors
    /// The policy's refusals.
    pub(super) async fn open_for_part<'k>(
        &self,
        operations: &Operations,
        request: &S3Request,
        shown: &'k SsecHeaders,
    ) -> Result<(Access<'k>, Box<dyn OpenedUpload>), S3Error> {
        // The bucket may have been told to block SSE-C since the upload was created.
        let rule = writing::rule(operations, &self.bucket).await?;
        let intent = Intent::Part(rule, self.created());
        let access = policy::decide(operations.dialect, intent, shown)
            .map_err(|refusal| writing::complete(refusal, request, "s3:PutObject"))?;
        let opened = match &access {
            Access::Plain => self.under_the_servers_key()?,
            Access::Customer(key) => self
                .found
                .prove(Holder::Customer(key))
                .map_err(|_| policy::wrong_upload_key(operations.dialect))?,
        };
        Ok((access, opened))
    }

    /// Proves the key that is shown to complete the upload or to list its parts, if one is.
    ///
    /// # Errors
    /// The policy's refusals.
    pub(super) fn open_for_list(
        self,
        operations: &Operations,
        shown: &SsecHeaders,
        sums: Sums,
    ) -> Result<Usable, S3Error> {
        let intent = Intent::Upload(self.created(), sums);
        match policy::decide(operations.dialect, intent, shown)? {
            Access::Customer(key) => {
                let opened = self.found.prove(Holder::Customer(key));
                let refusal = policy::wrong_upload_key(operations.dialect);
                Ok(Usable::Opened(opened.map_err(|_| refusal)?))
            }
            Access::Plain => match self.facts.holder {
                HolderKind::Server => Ok(Usable::Opened(self.under_the_servers_key()?)),
                HolderKind::Customer => Ok(Usable::Found(self.found)),
            },
        }
    }

    /// The server's own key does not fit: that is damage, not a mistake of the client.
    fn under_the_servers_key(&self) -> Result<Box<dyn OpenedUpload>, S3Error> {
        let opened = self.found.prove(Holder::Server);
        opened.map_err(|_| Code::InternalError.into())
    }
}

/// 400 `InvalidRequest`: a checksum of another algorithm than the upload's.
pub(super) fn checksum_differs(
    kept: Option<ChecksumAlgorithm>,
    shown: Option<ChecksumAlgorithm>,
) -> S3Error {
    let name = |algorithm: Option<ChecksumAlgorithm>| {
        algorithm.map_or_else(
            || "null".to_owned(),
            |algorithm| algorithm.as_str().to_ascii_lowercase(),
        )
    };
    let (kept, shown) = (name(kept), name(shown));
    S3Error::with_message(
        Code::InvalidRequest,
        format!(
            "Checksum Type mismatch occurred, expected checksum Type: {kept}, actual checksum \
             Type: {shown}"
        ),
    )
}
