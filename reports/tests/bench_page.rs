//! A bench record as a page and as Markdown: the charts that a run has, their colours on both
//! pages, the conclusion, and that a target's words stay text.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use std::collections::{BTreeMap, BTreeSet};

use quick_xml::Reader;
use quick_xml::events::Event;
use reports::bench::record::{
    Damage, HealthVerdict, Knee, KneeVerdict, Model, Paired, Phase, Slow, Step,
};
use reports::bench::run::BenchRun;
use reports::histogram::Packed;
use reports::render::html::bench::render as page_of;
use reports::render::markdown::bench::render as markdown_of;

#[path = "bench/simulated.rs"]
mod simulated;

use simulated::{header, histogram, run, second, written};

const PLAIN: (&str, &str) = ("get", "plain");
const SSEC: (&str, &str) = ("get", "ssec");
const HOSTILE: &str = "</text></svg></script><img src=x onerror=alert(1)>|`\n# forged";

/// Twenty seconds of two arms in two steps; the second arm takes a fifth longer.
fn paired() -> BenchRun {
    let mut header = header(&[PLAIN, SSEC]);
    header.paired = Some(Paired {
        base: "plain".to_owned(),
        other: "ssec".to_owned(),
    });
    let mut seconds = Vec::new();
    for number in 0..20 {
        for (arm, factor) in [(PLAIN, 10), (SSEC, 12)] {
            let times: Vec<u64> = (0..1200_u64)
                .map(|n| (100 + n % 37 + u64::from(number % 3)) * factor)
                .collect();
            let mut one = second(number, arm, &times);
            one.step = Some(number / 10);
            one.phases = BTreeMap::from([(Phase::FirstByte, Packed::of(&histogram(&times)))]);
            seconds.push(one);
        }
    }
    let mut run = run(header, seconds);
    for (number, rate) in [(0, 400.0), (1, 800.0)] {
        run.steps.push(Step {
            number,
            rate,
            from: number * 10,
            seconds: 10.0,
        });
    }
    run.slow.push(Slow {
        second: 3,
        op: "get".to_owned(),
        arm: "ssec".to_owned(),
        endpoint: "https://s3.example".to_owned(),
        object: "o-17".to_owned(),
        request_id: Some("R17".to_owned()),
        extended_id: None,
        failure: None,
        bytes: 4096,
        response_us: 90_000,
        service_us: 70_000,
        reused: true,
        phases_us: BTreeMap::from([(Phase::Queue, 20_000), (Phase::FirstByte, 70_000)]),
    });
    run
}

fn page(run: &BenchRun) -> String {
    let mut out = Vec::new();
    page_of(run, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn markdown(run: &BenchRun) -> String {
    let mut out = Vec::new();
    markdown_of(run, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// What stands between the end of the style and the end of the page.
fn body(page: &str) -> &str {
    page.split_once("</style>").unwrap().1
}

fn titles(page: &str) -> Vec<&str> {
    body(page)
        .split("<figcaption><h3>")
        .skip(1)
        .map(|rest| rest.split_once("</h3>").unwrap().0)
        .collect()
}

fn charts(page: &str) -> Vec<String> {
    body(page)
        .split("<svg ")
        .skip(1)
        .map(|rest| format!("<svg {}</svg>", rest.split_once("</svg>").unwrap().0))
        .collect()
}

#[test]
fn a_paired_run_in_steps_has_every_chart() {
    let page = page(&BenchRun::read(written(&paired()).as_slice()).unwrap());
    assert_eq!(
        titles(&page),
        [
            "ssec divided by plain",
            "Latency by percentile",
            "Latency over time",
            "Throughput over time",
            "Latency against load",
            "Where the slowest requests spent their time",
        ]
    );
    // Each is well-formed by an independent reader, and draws something.
    for chart in charts(&page) {
        let mut reader = Reader::from_str(&chart);
        let mut marks = 0;
        loop {
            let event = reader.read_event().unwrap();
            if let Event::Empty(tag) | Event::Start(tag) = &event {
                let marked = [&b"polyline"[..], b"rect", b"circle", b"line"];
                marks += usize::from(marked.contains(&tag.name().as_ref()));
            }
            if event == Event::Eof {
                break;
            }
        }
        assert!(marks > 0, "{chart}");
    }
}

#[test]
fn a_chart_is_left_out_where_it_would_show_nothing() {
    let one = run(header(&[SSEC]), vec![second(0, SSEC, &[1500; 100])]);
    assert_eq!(titles(&page(&one)), ["Latency by percentile"]);
    let nothing = run(header(&[SSEC]), Vec::new());
    assert_eq!(titles(&page(&nothing)), [""; 0]);
    assert!(page(&nothing).contains("nothing was answered well"));
}

/// The values of an attribute in a text.
fn attribute<'a>(text: &'a str, name: &str) -> BTreeSet<&'a str> {
    text.split(&format!(" {name}=\""))
        .skip(1)
        .map(|rest| rest.split_once('"').unwrap().0)
        .collect()
}

#[test]
fn every_colour_of_a_chart_follows_light_and_dark() {
    let mut run = paired();
    // A phase each, so that every hue is there.
    run.slow[0].phases_us = Phase::ALL.map(|phase| (phase, 10_000)).into();
    let page = page(&run);
    let style = page.split_once("<style>").unwrap().1;
    let style = style.split_once("</style>").unwrap().0;
    let mut seen = 0;
    for chart in charts(&page) {
        for name in ["fill", "stroke"] {
            for colour in attribute(&chart, name) {
                let mapped = style.contains(&format!("[{name}=\"{colour}\"]"));
                assert!(mapped || colour == "none", "{name}={colour} has no rule");
                seen += usize::from(mapped);
            }
        }
        // The page's policy would ignore it.
        assert!(!chart.contains(" style="), "{chart}");
    }
    assert!(seen > 6, "{seen}");
}

#[test]
fn the_intervals_are_drawn_where_their_figures_say() {
    let page = page(&paired());
    let cost = &charts(&page)
        .into_iter()
        .find(|chart| chart.contains("<circle"))
        .unwrap();
    // The ratio is 1.2 for every percentile: right of the line of no difference, all at one place.
    let places: Vec<i32> = attribute(cost, "cx")
        .into_iter()
        .map(|at| at.parse().unwrap())
        .collect();
    assert!(body(&page).contains("<td>1.200</td>"));
    assert!(places.len() <= 2, "{places:?}");
}

#[test]
fn the_last_second_that_a_number_can_hold_is_drawn() {
    let seconds = [0, u32::MAX].map(|number| second(number, SSEC, &[1500; 100]));
    let page = page(&run(header(&[SSEC]), seconds.into()));
    assert!(titles(&page).contains(&"Throughput over time"));
}

#[test]
fn the_knee_is_told_and_drawn() {
    let mut run = paired();
    let without = charts(&page(&run)).concat().matches("<polyline").count();
    run.knee = Some(Knee {
        objectives: vec!["p99<50ms".to_owned()],
        verdict: KneeVerdict::Found,
        low: Some(400.0),
        high: Some(500.0),
        reasons: vec!["the <b>client</b> was suspect".to_owned()],
    });
    let (page, markdown) = (page(&run), markdown(&run));
    for text in [&page, &markdown] {
        assert!(text.contains("400 to 500 arrivals a second"), "{text}");
        assert!(!text.contains("<b>client"), "{text}");
    }
    assert!(page.contains("objectives met at 400") && page.contains("objectives missed at 500"));
    assert!(charts(&page).concat().matches("<polyline").count() > without);
}

#[test]
fn the_conclusion_is_the_worst_that_is_known() {
    #[track_caller]
    fn check(run: &BenchRun, class: &str, words: &str) {
        let (page, markdown) = (page(run), markdown(run));
        assert!(
            page.contains(&format!("<header class=\"{class}\">")),
            "{class}"
        );
        assert!(body(&page).contains(words), "{words}");
        assert!(markdown.contains(words), "{markdown}");
    }
    let mut run = paired();
    check(&run, "good", "measured");
    for exit in [3, 5] {
        run.footer.as_mut().unwrap().exit = exit;
        check(&run, "open", "inconclusive");
    }
    run.footer.as_mut().unwrap().exit = 0;
    run.header.slo = vec!["get.p50<1s".to_owned()];
    check(&run, "good", "all 1 objectives met");
    run.health.as_mut().unwrap().verdict = HealthVerdict::Limited;
    check(&run, "open", "the client was the bottleneck");
    run.footer.as_mut().unwrap().exit = 1;
    check(&run, "bad", "a requirement was not met");
    run.header.slo.push("get.p50<1us".to_owned());
    check(&run, "bad", "1 of 2 objectives missed");
    run.damage.push(Damage {
        second: 1,
        op: "get".to_owned(),
        arm: "ssec".to_owned(),
        endpoint: "https://s3.example".to_owned(),
        object: "o-3".to_owned(),
        offset: 4097,
        what: "flipped bits".to_owned(),
        request_id: None,
    });
    check(&run, "bad", "damaged bodies: 1");
    assert!(markdown(&run).contains("`o-3` at byte 4097: flipped bits"));
    assert!(page(&run).contains("<td>4097</td>"));
    let mut killed = paired();
    killed.footer = None;
    check(&killed, "open", "incomplete");
    killed.header.schedule.model = Model::Closed;
    check(&killed, "open", "leave out what would have waited");
}

#[test]
fn what_a_target_says_stays_text() {
    let mut run = paired();
    run.header.target.server = Some(HOSTILE.to_owned());
    run.header.target.endpoints = vec![HOSTILE.to_owned()];
    run.header
        .settings
        .insert(HOSTILE.to_owned(), HOSTILE.to_owned());
    for (op, arm) in [("get", "plain"), ("get", "ssec")] {
        let hostile = |text: &str| format!("{text}{HOSTILE}");
        let renamed = |text: &mut String, from: &str| {
            if text.as_str() == from {
                *text = hostile(from);
            }
        };
        for name in &mut run.header.series {
            renamed(&mut name.op, op);
            renamed(&mut name.arm, arm);
        }
        for one in &mut run.seconds {
            renamed(&mut one.op, op);
            renamed(&mut one.arm, arm);
        }
        let paired = run.header.paired.as_mut().unwrap();
        renamed(&mut paired.base, arm);
        renamed(&mut paired.other, arm);
    }
    run.seconds[0].failed.insert(HOSTILE.to_owned(), 1);
    let slow = &mut run.slow[0];
    for text in [&mut slow.op, &mut slow.object, &mut slow.endpoint] {
        HOSTILE.clone_into(text);
    }
    slow.request_id = Some(HOSTILE.to_owned());
    slow.failure = Some(HOSTILE.to_owned());
    run.health
        .as_mut()
        .unwrap()
        .reasons
        .push(HOSTILE.to_owned());
    let page = page(&run);
    assert_eq!(titles(&page).len(), 6, "the charts are still there");
    assert!(page.contains("&lt;img"), "the text itself is shown");
    assert!(!page.contains("<img") && !page.contains("<script"));
    let markdown = markdown(&run);
    assert!(markdown.contains("&lt;img") && !markdown.contains("<img"));
    assert!(!markdown.lines().any(|line| line.starts_with("# forged")));
}
