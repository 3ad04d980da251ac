//! Examples of each command: the first of each is on the screen of `ssec --help`, all are in the
//! command's own help and its manual page. A test parses each.

use std::fmt::Write as _;

/// A command line, and what it is for.
pub struct Example {
    pub command: &'static str,
    pub line: &'static str,
    pub says: &'static str,
}

const fn example(command: &'static str, line: &'static str, says: &'static str) -> Example {
    Example {
        command,
        line,
        says,
    }
}

/// Every example, in the order of the commands.
pub const ALL: &[Example] = &[
    example(
        "test",
        "ssec test --endpoint URL --region R",
        "judge a target; alone, the bundled one",
    ),
    example(
        "test",
        "ssec test wrong-key --skip presign",
        "only trials of these names, against the server that the binary carries",
    ),
    example(
        "test",
        "ssec test --endpoint https://s3.example.com --region us-east-1 --junit junit.xml",
        "as a gate in CI: exit code 1 if a must-requirement is broken",
    ),
    example(
        "test",
        "ssec test --impostor key-echo",
        "see it fail: the bundled server tells one lie",
    ),
    example(
        "bench",
        "ssec bench --op get --arms plain,ssec",
        "throughput and latency",
    ),
    example(
        "bench",
        "ssec bench --endpoint URL --op put --size 1MiB --sse c --rate 200 --duration 60s",
        "an open loop: 200 uploads a second whatever the target does",
    ),
    example(
        "bench",
        "ssec bench scenarios/bench/overhead.yaml --plan",
        "a workload from a file; --plan sends nothing",
    ),
    example(
        "serve",
        "ssec serve --bucket demo",
        "an S3 server strict about SSE-C",
    ),
    example(
        "serve",
        "ssec serve --listen 0.0.0.0:9000 --tls-name s3.test --data-dir data",
        "reachable by a name, and kept",
    ),
    example(
        "explain",
        "ssec explain NAME",
        "a trial's requests, answers, evidence",
    ),
    example(
        "explain",
        "ssec explain E102",
        "what an error means, and what to do next",
    ),
    example(
        "check",
        "ssec check scenarios",
        "lint scenarios, no network",
    ),
    example("fmt", "ssec fmt scenarios", "YAML files in their one form"),
    example(
        "fmt",
        "ssec fmt --check scenarios",
        "in CI: changes nothing, exit code 1 if a file would come out another",
    ),
    example(
        "report",
        "ssec report latest --html page.html",
        "a recorded run in other forms",
    ),
    example(
        "report",
        "ssec report latest --github",
        "annotations and the summary of a GitHub job",
    ),
    example("matrix", "ssec matrix a=RUN b=RUN", "runs side by side"),
    example(
        "compare",
        "ssec compare BEFORE AFTER",
        "what became better or worse",
    ),
    example(
        "evidence",
        "ssec evidence RUN --dialect NAME",
        "a dialect of what was answered",
    ),
    example(
        "evidence",
        "ssec evidence latest --dialect mine --to scenarios",
        "the same as a file, with a capture of each answer; of a run with -vv",
    ),
    example(
        "clean",
        "ssec clean latest",
        "remove what a killed run left",
    ),
    example("key", "ssec key", "a fresh customer key, as exports"),
    example(
        "completions",
        "ssec completions bash",
        "completions for a shell",
    ),
    example("man", "ssec man DIR", "manual pages"),
];

/// The examples of one command.
pub fn of(command: &str) -> impl Iterator<Item = &'static Example> {
    ALL.iter().filter(move |example| example.command == command)
}

/// What `ssec --help` prints: it fits a screen of 24 lines of 80 columns.
#[must_use]
pub fn overview() -> String {
    let mut text = String::from(
        "ssec tells whether an S3 endpoint keeps the promise of SSE-C, and how fast\n\n\
         Usage: ssec COMMAND …      flags and more examples: ssec COMMAND --help\n\n",
    );
    let mut previous = "";
    for example in ALL {
        if example.command != previous {
            let _ = writeln!(text, "  {:38} {}", example.line, example.says);
        }
        previous = example.command;
    }
    text.push_str(
        "\nOptions: -h, --help  -V, --version  --color auto|always|never\n\
         Exit codes: 0 as expected; 1 a requirement failed; 2 bad arguments or scenario;\n\
         3 the target could not be judged; 4 nothing selected; 5 only blocked or error;\n\
         6 the baseline is out of date; 70 a bug of ssec; 130 interrupted\n",
    );
    text
}

/// The end of a command's own help.
#[must_use]
pub fn section(command: &str) -> String {
    let mut text = String::from("Examples:");
    for example in of(command) {
        let _ = write!(text, "\n  {}\n      {}", example.line, example.says);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit_code::ExitCode;

    #[test]
    fn the_overview_fits_a_screen_and_names_every_exit_code() {
        let text = overview();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.len() <= 24, "{} lines", lines.len());
        for line in &lines {
            assert!(line.chars().count() <= 80, "too wide: {line}");
        }
        let (_, codes) = text.split_once("Exit codes:").unwrap();
        let words: Vec<&str> = codes.split_whitespace().collect();
        for code in ExitCode::ALL {
            assert!(
                words.contains(&code.number().to_string().as_str()),
                "{code:?}"
            );
        }
    }
}
