//! Section 2.5, CopyObject.

use super::table::Evidence::{Der, Doc, Obs, Peer, Rep, Suite, Unk};
use super::table::Given::{Blocked, Object, Source, Versions};
use super::table::{Given, Row, TEXT, case, copy, row, same, served};
use super::words::*;

const SEALED: Given = Source(T1);
const PLAIN: Given = Source(NONE);
/// The object itself, for copies onto it.
const OWN: Given = Object(T1, TEXT);
const IF_MATCH: (&str, &str) = ("x-amz-copy-source-if-match", "{etag}");
const IF_OTHER: (&str, &str) = (
    "x-amz-copy-source-if-match",
    "\"00000000000000000000000000000000\"",
);
const REPLACE: (&str, &str) = ("x-amz-metadata-directive", "REPLACE");
/// What reads say afterwards of a copy that is plain.
const BY_ALL: &[(&[super::table::Pair], u16)] = &[(NONE, 200)];

pub const ROWS: &[Row] = &[
    row(
        "C1",
        "plain to plain",
        (Doc, Peer),
        &[case(
            PLAIN,
            copy(&[FROM]),
            served(200).showing(NAMES_SSE_S3).read_by(BY_ALL),
            served(200).showing(NO_ECHO).read_by(BY_ALL),
        )],
    ),
    row(
        "C2",
        "SSE-C to plain, the source's triple",
        (Obs, Peer),
        &[case(
            SEALED,
            copy(&[FROM, SA, SK1, SM1]),
            served(200).showing(NAMES_SSE_S3).read_by(BY_ALL),
            served(200).showing(NO_ECHO).read_by(BY_ALL),
        )],
    ),
    row(
        "C3",
        "plain to SSE-C",
        (Rep, Peer),
        &[case(
            PLAIN,
            copy(&[FROM, A, K2, M2]),
            served(200).showing(ECHO2).read_by(BY_K2),
            served(200).showing(NO_ECHO).read_by(BY_K2),
        )],
    ),
    row(
        "C4",
        "SSE-C to SSE-C under the same key",
        (Obs, Peer),
        &[case(
            SEALED,
            copy(&[FROM, SA, SK1, SM1, A, K1, M1]),
            served(200).showing(ECHO1).read_by(BY_K1),
            served(200).showing(NO_ECHO).read_by(BY_K1),
        )],
    ),
    row(
        "C5",
        "SSE-C to SSE-C under another key",
        (Suite, Peer),
        &[case(
            SEALED,
            copy(&[FROM, SA, SK1, SM1, A, K2, M2]),
            served(200).showing(ECHO2).read_by(BY_K2),
            served(200).showing(NO_ECHO).read_by(BY_K2),
        )],
    ),
    row(
        "C6",
        "no source triple for an SSE-C source, with a target's and without",
        (Obs, Peer),
        &[
            case(SEALED, copy(&[FROM, A, K2, M2]), NEED_KEY, OVH_MISSING),
            case(SEALED, copy(&[FROM]), NEED_KEY, OVH_MISSING),
        ],
    ),
    row(
        "C7",
        "the source's key in the target's triple only",
        (Obs, Peer),
        &[case(
            SEALED,
            copy(&[FROM, A, K1, M1]),
            NEED_KEY,
            OVH_MISSING,
        )],
    )
    .departing(),
    row(
        "C8",
        "a wrong source key; onto itself with one wrong key for both",
        (Suite, Peer),
        &[
            case(SEALED, copy(&[FROM, SA, SK2, SM2]), WRONG_KEY, OVH_WRONG),
            case(
                OWN,
                copy(&[ITSELF, SA, SK2, SM2, A, K2, M2]),
                PARAMS_DIFFER,
                OVH_WRONG,
            ),
        ],
    ),
    row(
        "C9",
        "source algorithm `KMS`",
        (Obs, Peer),
        &[case(
            SEALED,
            copy(&[FROM, SKMS, SK1, SM1]),
            ALG_INVALID.value("KMS"),
            served(200).read_by(BY_ALL),
        )],
    ),
    row(
        "C10",
        "a source MD5 of another key",
        (Suite, Peer),
        &[case(
            SEALED,
            copy(&[FROM, SA, SK1, SM2]),
            MD5_MISMATCH,
            served(200).read_by(BY_ALL),
        )],
    ),
    row(
        "C11",
        "no source MD5",
        (Unk, Peer),
        &[case(
            SEALED,
            copy(&[FROM, SA, SK1]),
            MD5_MISSING,
            served(200).read_by(BY_ALL),
        )],
    ),
    row(
        "C12",
        "a source triple for a plain source",
        (Unk, Peer),
        &[case(
            PLAIN,
            copy(&[FROM, SA, SK1, SM1]),
            NOT_APPLICABLE,
            served(200).read_by(BY_ALL),
        )],
    ),
    row(
        "C13",
        "target algorithm `KMS`",
        (Obs, Peer),
        &[case(
            PLAIN,
            copy(&[FROM, KMS, K2, M2]),
            ALG_INVALID.value("KMS"),
            served(200).read_by(BY_K2),
        )],
    ),
    row(
        "C14",
        "the target's triple with `x-amz-server-side-encryption: AES256`",
        (Obs, Peer),
        &[case(
            PLAIN,
            copy(&[FROM, A, K2, M2, SSE_S3]),
            MIXED.value("AES256"),
            served(200).read_by(BY_K2),
        )],
    ),
    row(
        "C15",
        "onto itself under another key",
        (Doc, Unk),
        &[case(
            OWN,
            copy(&[ITSELF, SA, SK1, SM1, A, K2, M2]),
            served(200).showing(ECHO2).read_by(BY_K2),
            served(200).showing(NO_ECHO).read_by(BY_K2),
        )],
    ),
    row(
        "C16",
        "onto itself under the same key, nothing else changed",
        (Unk, Unk),
        &[same(
            OWN,
            copy(&[ITSELF, SA, SK1, SM1, A, K1, M1]),
            NO_CHANGE,
        )],
    ),
    row(
        "C17",
        "into a bucket that blocks SSE-C",
        (Rep, Unk),
        &[same(Blocked, copy(&[FROM, A, K1, M1]), BLOCKED_COPY)],
    ),
    row(
        "C18",
        "`x-amz-copy-source-if-match` with the source's `ETag`, with another",
        (Der, Unk),
        &[
            same(
                SEALED,
                copy(&[FROM, SA, SK1, SM1, IF_MATCH]),
                served(200).read_by(BY_ALL),
            ),
            same(SEALED, copy(&[FROM, SA, SK1, SM1, IF_OTHER]), PRECONDITION),
        ],
    ),
    row(
        "C19",
        "metadata is copied, or replaced",
        (Doc, Peer),
        &[
            same(
                Source(&[A, K1, M1, ("x-amz-meta-colour", "red")]),
                copy(&[FROM, SA, SK1, SM1]),
                served(200).read_by(BY_ALL),
            ),
            same(
                OWN,
                copy(&[
                    ITSELF,
                    SA,
                    SK1,
                    SM1,
                    A,
                    K1,
                    M1,
                    REPLACE,
                    ("x-amz-meta-colour", "blue"),
                ]),
                served(200).read_by(BY_K1),
            ),
        ],
    ),
    row(
        "C20",
        "an older version as the source, with its own key",
        (Der, Unk),
        &[
            same(
                Versions(T1, T2),
                copy(&[
                    ("x-amz-copy-source", "/{bucket}/o?versionId={version}"),
                    SA,
                    SK1,
                    SM1,
                ]),
                served(200).read_by(BY_ALL),
            ),
            case(
                Versions(T1, T2),
                copy(&[
                    ("x-amz-copy-source", "/{bucket}/o?versionId={version}"),
                    SA,
                    SK2,
                    SM2,
                ]),
                WRONG_KEY,
                OVH_WRONG,
            ),
        ],
    ),
];
