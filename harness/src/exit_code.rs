//! What the process's exit code means. Nothing else may end the process with a number.

/// The one list of exit codes.
///
/// If several hold, [`ExitCode::worst`] says which one is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitCode {
    /// Everything was as expected.
    AsExpected,
    /// A requirement failed or regressed, data was corrupt, or an SLO was missed.
    Broken,
    /// Bad arguments, or a mistake in a scenario, dialect or profile.
    BadInput,
    /// The target could not be judged: unreachable, credentials, clock, certificate, bucket.
    CannotJudge,
    /// The filter selected nothing.
    NothingSelected,
    /// Nothing was found broken, but something was blocked or ended in an error.
    Inconclusive,
    /// The baseline is out of date.
    BaselineStale,
    /// A bug of ours.
    OurBug,
    /// Interrupted by a signal; the record's footer says so.
    Interrupted,
}

impl ExitCode {
    /// Every code, by its number.
    pub const ALL: [Self; 9] = [
        Self::AsExpected,
        Self::Broken,
        Self::BadInput,
        Self::CannotJudge,
        Self::NothingSelected,
        Self::Inconclusive,
        Self::BaselineStale,
        Self::OurBug,
        Self::Interrupted,
    ];

    /// What the code tells, in a sentence's middle.
    #[must_use]
    pub const fn means(self) -> &'static str {
        match self {
            Self::AsExpected => "everything was as expected",
            Self::Broken => {
                "a requirement failed or regressed, data was corrupt, or an objective was missed"
            }
            Self::BadInput => "bad arguments, or a mistake in a scenario, dialect or profile",
            Self::CannotJudge => {
                "the target could not be judged: unreachable, credentials, clock, certificate, \
                 bucket; or the client was the limit"
            }
            Self::NothingSelected => "the filter selected nothing",
            Self::Inconclusive => "nothing was broken, but something was blocked or in error",
            Self::BaselineStale => "the baseline is out of date",
            Self::OurBug => "a bug of ssec",
            Self::Interrupted => "interrupted by a signal; the record says so",
        }
    }

    /// The number that the process ends with.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::AsExpected => 0,
            Self::Broken => 1,
            Self::BadInput => 2,
            Self::CannotJudge => 3,
            Self::NothingSelected => 4,
            Self::Inconclusive => 5,
            Self::BaselineStale => 6,
            Self::OurBug => 70,
            Self::Interrupted => 130,
        }
    }

    /// Which of two is told: 70 before 130 before 2, 3, 4, 1, 6, 5, 0.
    ///
    /// 2, 3 and 4 mean that nothing ran, so they never meet 1, 5 or 6 in one run.
    #[must_use]
    pub const fn worst(self, other: Self) -> Self {
        if self.rank() <= other.rank() {
            self
        } else {
            other
        }
    }

    const fn rank(self) -> u8 {
        match self {
            Self::OurBug => 0,
            Self::Interrupted => 1,
            Self::BadInput => 2,
            Self::CannotJudge => 3,
            Self::NothingSelected => 4,
            Self::Broken => 5,
            Self::BaselineStale => 6,
            Self::Inconclusive => 7,
            Self::AsExpected => 8,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(codes: &[ExitCode], told: u8) {
        let worst = |codes: &mut dyn Iterator<Item = ExitCode>| {
            codes.fold(ExitCode::AsExpected, ExitCode::worst).number()
        };
        assert_eq!(worst(&mut codes.iter().copied()), told);
        assert_eq!(worst(&mut codes.iter().rev().copied()), told);
    }

    #[test]
    fn the_graver_code_is_told() {
        check(&[], 0);
        check(&[ExitCode::Inconclusive], 5);
        check(&[ExitCode::Broken, ExitCode::Inconclusive], 1);
        check(&[ExitCode::Broken, ExitCode::BaselineStale], 1);
        check(&[ExitCode::BaselineStale, ExitCode::Inconclusive], 6);
        check(&[ExitCode::CannotJudge, ExitCode::Broken], 3);
        check(&[ExitCode::BadInput, ExitCode::CannotJudge], 2);
        check(&[ExitCode::Interrupted, ExitCode::Broken], 130);
        check(&[ExitCode::OurBug, ExitCode::BadInput], 70);
    }
}
