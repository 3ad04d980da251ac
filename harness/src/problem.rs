//! The catalogue of errors: each has a code that is printed with it, and two sentences that
//! `ssec explain CODE` prints, what it means and what to do next. Mistakes in scenario files have
//! codes of their own, in `yaml::code`.
//!
//! A code keeps its meaning for ever; one that is no longer raised is not given to another error.

use crate::exit_code::ExitCode;

/// Defines the errors and the list of all of them in one place, so that none can be left out.
macro_rules! problems {
    ($($name:ident $code:literal $exit:ident $means:literal $remedy:literal)*) => {
        /// Why a command ended without a result.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Problem {
            $(#[doc = $means] $name,)*
        }

        impl Problem {
            /// Every one, by code.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// As it is printed: `E` and three digits.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// What the process ends with, unless the command says otherwise.
            #[must_use]
            pub const fn exit(self) -> ExitCode {
                match self { $(Self::$name => ExitCode::$exit),* }
            }

            /// A sentence: what happened.
            #[must_use]
            pub const fn means(self) -> &'static str {
                match self { $(Self::$name => $means),* }
            }

            /// A sentence: what to do next.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy),* }
            }

            /// The word by which the sources raise it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }
        }
    };
}

problems! {
    Usage "E001" BadInput
        "The command line is not understood: a flag or value that the command does not have, or two that exclude each other."
        "Read the usage line below the message, or `ssec COMMAND --help`, which ends with examples."
    Arguments "E002" BadInput
        "The flags are understood one by one, but together, or with the file that they name, they ask for something that cannot be done."
        "The message names the flag or value; change it, or leave it out to get its default."
    NothingSelected "E003" NothingSelected
        "No trial of the catalogue has the name or tag that was asked for, so nothing was run."
        "`ssec test --list` prints all names; a filter is part of a name unless --exact is given."
    UnknownName "E004" BadInput
        "There is no dialect or impostor of that name, or the bundled server does not speak the dialect."
        "`ssec serve --list-impostors` lists the impostors, `ssec check` the dialects; a dialect other than aws and ovh needs a target of its own, named with --endpoint."
    Endpoint "E005" BadInput
        "What was given as an endpoint is not the URL of one."
        "Write https://host or https://host:port, without a path: the bucket is named with --bucket."
    Unreadable "E006" BadInput
        "A file that was named cannot be read."
        "Check its path and permissions; relative paths begin in the working directory."
    Unwritable "E007" BadInput
        "A file, or standard output, cannot be written."
        "Check that the folder is there, that you may write to it, that the disk is not full, and that the reader of a pipe is still there."
    NoCertificate "E008" BadInput
        "The file named with --ca or --tls-cert holds no certificate in PEM form."
        "PEM begins with -----BEGIN CERTIFICATE-----; convert a DER file with `openssl x509 -inform der`."
    NoCredentials "E009" CannotJudge
        "There are no credentials to sign requests with."
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE to a profile of the shared files."
    CredentialsUnsupported "E010" CannotJudge
        "The credentials come from a source that ssec does not use, such as SSO or credential_process."
        "Export them first: eval \"$(aws configure export-credentials --format env)\"."
    Step "E011" BadInput
        "A step of a scenario asks for something that cannot be put on the wire."
        "The message names the step; correct the scenario, and read it with `ssec check`."
    NoRun "E012" BadInput
        "There is no recorded run of that name."
        "Name a run's folder below .ssec, its run.jsonl, or latest; --no-save keeps no record."
    Record "E013" BadInput
        "A file is there, but it is not a record, journal or summary that this version can use, or not of the kind that was asked for."
        "Check that the file is the right one and whole; a record of a newer ssec needs that version."
    Mistakes "E014" BadInput
        "A scenario, dialect, profile or workload has mistakes; each is drawn with its place and a code of its own."
        "Correct them, and read the files again with `ssec check PATH`; `ssec explain CODE` tells about one."
    Server "E015" CannotJudge
        "The bundled server did not start."
        "The message says why: a port that is taken, a data directory that is in use, of another dialect or damaged, or a certificate that cannot be used."
    Machine "E016" CannotJudge
        "The machine gave no thread, socket or temporary directory."
        "Check its limits (`ulimit -a`), and that the folder for temporary files can be written."
    OverLimit "E017" BadInput
        "The selection takes more of the target than --max-requests, --max-bytes or the limits of the profile allow."
        "`ssec test --plan` tells what a selection takes: select fewer trials, or allow more."
    NoAddress "E101" CannotJudge
        "The name of the target's host has no address."
        "Check the host of --endpoint, and that this machine's resolver knows it."
    Unreachable "E102" CannotJudge
        "Nothing accepts connections at the target's address."
        "Check that the endpoint is up, that host and port are right, and that no firewall stands between."
    TlsUntrusted "E103" CannotJudge
        "The target's certificate does not come from an authority that is trusted, or names another host."
        "Name the authority's certificate with --ca FILE, or pass --insecure if you know why."
    TlsHandshake "E104" CannotJudge
        "The TLS handshake with the target failed."
        "Check that the port speaks TLS 1.2 or 1.3; an endpoint without TLS is written http://."
    TimedOut "E105" CannotJudge
        "The target did not go on within the time that one request may take."
        "Pass a longer --timeout for a slow target, and fewer --jobs for one that is overloaded."
    Disconnected "E106" CannotJudge
        "The target, or something on the way, ended the connection before its answer was whole."
        "Repeat the run; if it stays, look into the log of the target or of the proxy in front of it."
    NotHttp "E107" CannotJudge
        "What the target sent is not an answer in HTTP/1.1."
        "Check that the port is that of the S3 endpoint."
    TooLarge "E108" CannotJudge
        "The target's answer is larger than ssec reads."
        "An S3 endpoint does not answer so; check that the port is that of the endpoint."
    Clock "E111" CannotJudge
        "This machine's clock and the target's are too far apart for signatures to be valid."
        "Set the clock, for example by NTP; S3 refuses signatures that are more than 15 minutes off."
    Region "E112" CannotJudge
        "The target serves another region than the one in the signatures."
        "Pass the --region that the message names, and the endpoint of that region."
    AccessKeyId "E113" CannotJudge
        "The target does not know the access key id."
        "Check AWS_ACCESS_KEY_ID, or the profile that AWS_PROFILE names, and that they are for this target."
    SecretKey "E114" CannotJudge
        "The target computed another signature: the secret access key is not the one of the access key id, or the region is not the target's."
        "Check AWS_SECRET_ACCESS_KEY for blanks and line ends, and --region."
    SessionToken "E115" CannotJudge
        "The session token has expired or is not valid."
        "Get fresh credentials; the token stands in AWS_SESSION_TOKEN."
    Redirect "E116" CannotJudge
        "The target sends the requests elsewhere, and ssec follows no redirect, which would carry keys along."
        "Name the endpoint and the --region of the bucket."
    Forbidden "E117" CannotJudge
        "The credentials are valid, but may not use or create the bucket."
        "Name a bucket of your own with --bucket, or grant the permissions that the message names."
    NoBucket "E118" CannotJudge
        "The bucket named with --bucket does not exist."
        "Create it, or leave --bucket out: the run then makes one of its own."
    BucketTaken "E119" CannotJudge
        "The bucket that the run would create exists already."
        "If a run with this seed was killed, `ssec clean RUN` finishes it; else leave --seed out, or name a bucket with --bucket."
    UnexpectedAnswer "E120" CannotJudge
        "The target answered a plain request in a way that S3 does not."
        "Check that --endpoint is an S3 endpoint and not its console; the message holds the answer's own words."
    NotMeasured "E121" CannotJudge
        "The load could not begin or could not be measured: connections, objects to be read, or the target itself were missing."
        "The message says which; try the target with `ssec test` and a smaller --concurrency."
    SsecBlocked "E122" CannotJudge
        "The bucket blocks SSE-C: it takes no write with a customer key, so nothing can be found out."
        "Allow it (PutBucketEncryption with BlockedEncryptionTypes NONE), or leave --bucket out: the run then makes a bucket of its own and allows SSE-C there."
    Addressing "E123" CannotJudge
        "The target does not find the bucket where the requests name it, in the path or in the host."
        "Pass --style path or --style vhost, and with the second the domain below which the target takes buckets as --vhost-domain."
    Interrupted "E130" Interrupted
        "A signal ended the command before it had anything to record."
        "Nothing is left behind; run it again."
    SecretInOutput "E900" OurBug
        "What was about to be written held a key or a secret, and was not written."
        "This is a bug of ssec: report it with the command line and the run's seed, without any key."
    Bug "E901" OurBug
        "ssec came into a state that its authors held impossible."
        "This is a bug of ssec: report it with the command line and the run's seed, without any key."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_sentences_are_sentences() {
        for pair in Problem::ALL.windows(2) {
            assert!(pair[0].code() < pair[1].code(), "{pair:?}");
        }
        for problem in Problem::ALL {
            let digits = problem.code().strip_prefix('E').unwrap();
            assert!(digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit()));
            for sentence in [problem.means(), problem.remedy()] {
                assert!(sentence.ends_with('.'), "{problem:?}: {sentence}");
            }
        }
    }
}
