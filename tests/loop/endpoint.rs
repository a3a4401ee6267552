//! A server as the judge.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use hardcase::domain::ids::ItemId;
use hardcase::store::{Access, Store};
use serde_json::{Value, json};

use super::project::{Project, hardcase, run};
use super::stand_in::{Asked, Said, StandIn, able, failed, good, opinion, tokens};

/// A scouted project of `n` advertisements.
fn ads(n: usize) -> Project {
    Project::scouted_elsewhere(n)
}

/// A scouted project with these labels and texts.
fn made(labels: &[&str], texts: &[String]) -> Project {
    let project = Project::none();
    let mut task = "name = \"t\"\nquestion = \"Which?\"\n".to_owned();
    for (i, label) in labels.iter().enumerate() {
        task += &format!(
            "\n[[label]]\nname = \"{label}\"\nkey = \"{}\"\ndescription = \"{label} it is\"\n",
            i + 1
        );
    }
    let task = project.write("t.toml", task);
    hardcase(["new", project.file().to_str().unwrap(), "--task", task.to_str().unwrap()]).done();
    let data = project.write("t.txt", texts.join("\n"));
    project.run("import", &[data.to_str().unwrap()]).done();
    project.enter_vectors();
    project
}

/// What the newest judge said of each text, in the order of the labels.
fn said(project: &Project) -> Vec<(ItemId, Vec<f32>)> {
    let store = Store::open(&project.file(), Access::Read).unwrap();
    let Some(judge) = store.predictors().unwrap().into_iter().rev().find(|p| p.judge().is_some()) else {
        return Vec::new();
    };
    let (items, values) = store.predictions(judge.id).unwrap();
    items.into_iter().zip(values.chunks(judge.labels.len()).map(<[f32]>::to_vec)).collect()
}

#[track_caller]
fn near(said: &[f32], expected: &[f64]) {
    assert_eq!(said.len(), expected.len());
    for (p, e) in said.iter().zip(expected) {
        assert!((f64::from(*p) - e).abs() < 1e-5, "{said:?} is not {expected:?}");
    }
}

#[test]
fn a_servers_likely_tokens_become_the_labels_probabilities_and_no_secret_is_stored() {
    let server = StandIn::new(able);
    let project = ads(60);
    let mut command = project.command("judge", &["--endpoint", &server.url(), "--all", "--json", "--quiet"]);
    command.env("HARDCASE_API_KEY", "a-secret-key");
    let ran = run(command).done();
    assert!(!ran.out.contains("a-secret-key") && !ran.err.contains("a-secret-key"));
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&report["judged"], &report["model"]), (&60.into(), &"tiny".into()), "{report}");
    assert_eq!((&report["unlisted"], &report["seen"]), (&0.into(), &20.into()), "{report}");
    let store = Store::open(&project.file(), Access::Read).unwrap();
    for (item, p) in said(&project) {
        let opinion = opinion(&store.texts(&[item]).unwrap()[0].1);
        near(&p, &[opinion / 0.8, 1.0 - opinion / 0.8]);
    }
    let model = store.models().unwrap().pop().unwrap();
    assert_eq!((model.architecture.as_str(), model.path), ("endpoint", format!("{}/v1", server.url())));
    for file in ["pool.hardcase", "pool.hardcase-wal"] {
        let bytes = std::fs::read(project.path(file)).unwrap_or_default();
        assert!(!bytes.windows(12).any(|w| w == b"a-secret-key"), "{file}");
    }
    let asked = server.asked();
    assert!(asked.iter().all(|a| a.key.as_deref() == Some("Bearer a-secret-key")));
    let first = &asked[1];
    assert_eq!(first.path, "/v1/completions");
    assert!(first.prompt().starts_with("Is this ad clickbait?\n"), "{}", first.prompt());
    assert!(first.prompt().ends_with("\nLabel:"), "{}", first.prompt());
    for (name, value) in [
        ("model", json!("tiny")),
        ("max_tokens", json!(1)),
        ("temperature", json!(0)),
        ("logprobs", json!(20)),
    ] {
        assert_eq!(first.body[name], value);
    }
    assert_eq!(asked.len(), 61, "one request a text, and one for the models");

    // It has read all there is, and without being named it is not asked: not by judging, and not by showing what there is.
    assert_eq!(server.report(&project, &["--all"])["judged"], 0);
    let before = server.asked().len();
    project.run("judge", &[]).refused(2, &["tiny at the server", "--endpoint http://127.0.0.1"]);
    project.run("judge", &["--model", &server.url()]).refused(2, &["is a server", "--endpoint URL"]);
    project.run("tune", &["--adapter", "lora", "--model", &server.url()]).refused(2, &["is a server"]);
    project.run("tune", &["--adapter", "alora", "--model", &server.url()]).refused(2, &["is a server"]);
    project
        .run("tune", &["--adapter", "alora"])
        .refused(2, &["train the judge", "tiny at the server", "cannot be trained"]);
    project.run("status", &[]).done();
    assert_eq!(server.asked().len(), before);
    let ran = project.run("judge", &["--endpoint", &server.url(), "--threads", "2"]);
    assert!(ran.code == Some(2) && ran.err.contains("--threads"), "{}", ran.err);
}

#[test]
fn labels_with_a_common_prefix_take_a_further_request_and_are_refused_in_a_chat() {
    let texts: Vec<String> = (0..12).map(|i| format!("text number {i}")).collect();
    let project = made(&["card lost", "card stolen", "other"], &texts);
    let server = StandIn::new(|asked| match asked.text().1 {
        "" => tokens(&[(" card", 0.6), (" other", 0.2), (" The", 0.1)]),
        " card" => tokens(&[(" lost", 0.3), (" st", 0.1), (" holder", 0.5)]),
        more => panic!("asked of {more:?}"),
    });
    server.judge(&project, &["--all"]).done();
    let said = said(&project);
    assert_eq!(said.len(), 12);
    for (_, p) in said {
        near(&p, &[0.75 * 0.75, 0.75 * 0.25, 0.25]);
    }
    let chat = format!("{}/v1/chat/completions", server.url());
    let completions = format!("--endpoint {}/v1/completions", server.url());
    project
        .run("judge", &["--endpoint", &chat])
        .refused(1, &["'card lost' and 'card stolen'", "begin alike", &completions]);

    // Where a token turns out to lead to two labels, it is said then.
    let project = made(&["cat", "car", "dog"], &texts);
    let top = json!([{ "token": "ca", "logprob": -0.5 }, { "token": "dog", "logprob": -1.0 }]);
    let answer =
        json!({ "choices": [{ "logprobs": { "content": [{ "token": "ca", "top_logprobs": top }] } }] });
    let server = StandIn::new(move |_| good(&answer));
    let chat = format!("{}/v1/chat/completions", server.url());
    project.run("judge", &["--endpoint", &chat]).refused(1, &["'cat' and 'car'", "/v1/completions"]);
}

#[test]
fn a_chat_is_asked_by_its_first_token() {
    let server = StandIn::new(|asked| {
        assert_eq!((&asked.body["logprobs"], &asked.body["top_logprobs"]), (&json!(true), &json!(20)));
        let of = |token: &str, p: f64| json!({ "token": token, "bytes": null, "logprob": p.ln() });
        let top = json!([of("Label", 0.5), of("fine", 0.3), of("click", 0.1), of("", 0.1)]);
        good(&json!({ "choices": [{ "message": {}, "logprobs": { "content": [{ "top_logprobs": top }] } }] }))
    });
    let project = ads(20);
    let url = format!("{}/v1/chat/completions", server.url());
    let report = project.json("judge", &["--endpoint", &url, "--model", "named", "--all"]);
    assert_eq!((&report["judged"], &report["model"]), (&20.into(), &"named".into()), "{report}");
    for (_, p) in said(&project) {
        near(&p, &[0.25, 0.75]);
    }
    let asked = server.asked();
    assert_eq!((asked[1].path.as_str(), &asked[1].body["model"]), ("/v1/chat/completions", &json!("named")));
}

#[test]
fn a_server_with_a_lower_limit_is_asked_for_fewer_tokens_and_lists_without_a_label_are_reported() {
    let server = StandIn::new(|asked| {
        if asked.body["logprobs"].as_u64() > Some(5) {
            return failed(400, "logprobs must be at most 5");
        }
        if asked.text().0.contains('!') { able(asked) } else { tokens(&[(" The", 0.9), ("\n", 0.05)]) }
    });
    let project = ads(60);
    let report = server.report(&project, &["--all", "--concurrency", "1"]);
    let silent = said(&project).iter().filter(|(_, p)| p[0] == 0.5).count();
    assert!(silent > 10 && silent < 60, "{silent}");
    assert_eq!((&report["seen"], &report["unlisted"]), (&5.into(), &silent.into()), "{report}");
    assert_eq!(server.asked().len(), 1 + 1 + 60, "it is refused once, and that is remembered");
    let project = ads(20);
    let ran = StandIn::new(|_| tokens(&[(" The", 0.9)])).judge(&project, &["--all"]).done();
    assert!(
        ran.out.contains("for 20 texts none of the server's 20 likeliest tokens was a label"),
        "{}",
        ran.out
    );
}

#[test]
fn temporary_errors_are_waited_for_and_the_limit_of_requests_at_a_time_is_kept() {
    let gate = Arc::new((Mutex::new((0, 0)), Condvar::new()));
    let server = StandIn::new({
        let gate = Arc::clone(&gate);
        move |asked| {
            match asked.before {
                0 => return Said::Status(429, vec![("Retry-After", "0".into())], Vec::new()),
                1 => return failed(503, "loading"),
                2 => return Said::BreakOff,
                3 => return Said::Broken(500, b"{\"choices\":".to_vec()),
                _ => {}
            }
            // The first three that are answered wait for one another: so many are under way together, and never more.
            let (count, changed) = &*gate;
            let mut now = count.lock().unwrap();
            now.0 += 1;
            now.1 = now.1.max(now.0);
            changed.notify_all();
            let mut now = changed.wait_while(now, |now| now.1 < 3).unwrap();
            now.0 -= 1;
            drop(now);
            able(asked)
        }
    });
    let project = ads(60);
    let report = server.report(&project, &["--all", "--concurrency", "3"]);
    assert_eq!(report["judged"], 60, "{report}");
    assert_eq!(gate.0.lock().unwrap().1, 3);
    assert_eq!(server.asked().len(), 1 + 60 + 4);
}

#[test]
fn the_reason_for_waiting_is_shown() {
    let server = StandIn::new(|asked| match asked.before {
        0 => Said::Status(503, vec![("Retry-After", "1".into())], Vec::new()),
        _ => able(asked),
    });
    let ran = server.judge(&ads(20), &["--limit", "3", "--concurrency", "1", "--progress", "json"]).done();
    assert!(
        ran.err.contains("judging: the server answers with status 503 and is asked again"),
        "{}",
        ran.err
    );
}

#[test]
fn a_server_that_fails_loses_no_verdict() {
    let ill = Arc::new(AtomicBool::new(true));
    let server = StandIn::new({
        let ill = Arc::clone(&ill);
        move |asked| {
            let fails = ill.load(Ordering::Relaxed) && asked.before >= 30;
            if fails { failed(500, "out of\nmemory") } else { able(asked) }
        }
    });
    let project = ads(60);
    server.judge(&project, &["--all", "--concurrency", "2"]).refused(1, &["status 500", "out of memory"]);
    let kept = said(&project).len();
    assert_eq!(kept, 30);
    ill.store(false, Ordering::Relaxed);
    let report = server.report(&project, &["--all"]);
    assert_eq!((&report["judged"], &report["judged_in_all"]), (&30.into(), &60.into()), "{report}");
    // A number, and a time that is over, end it as with a model on this machine.
    let project = ads(60);
    let report = server.report(&project, &["--limit", "7"]);
    assert_eq!(report["judged"], 7, "{report}");
}

#[test]
fn a_killed_or_stopped_judge_continues_where_it_was() {
    let awake = Arc::new(AtomicUsize::new(50));
    let server = StandIn::new({
        let awake = Arc::clone(&awake);
        move |asked| if asked.before < awake.load(Ordering::Relaxed) { able(asked) } else { Said::Silence }
    });
    let project = ads(120);
    for (round, signal) in ["-KILL", "-TERM"].into_iter().enumerate() {
        awake.store(50 + server.asked().len(), Ordering::Relaxed);
        let mut command: Command = project.command("judge", &["--endpoint", &server.url(), "--all"]);
        command.args(["--progress", "json", "--concurrency", "2"]).env("HARDCASE_IN_CHILD", "1");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let told = BufReader::new(child.stderr.take().unwrap());
        for line in told.lines().map_while(Result::ok) {
            let line = serde_json::from_str::<Value>(&line).unwrap_or_default();
            if line["stage"] == "judging" && line["done"].as_u64() >= Some(20) {
                break;
            }
        }
        let pid = child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let status = child.wait().unwrap();
        assert_eq!(status.code(), if signal == "-TERM" { Some(143) } else { None });
        assert!(said(&project).len() >= 20 * (round + 1), "{}", said(&project).len());
    }
    awake.store(usize::MAX, Ordering::Relaxed);
    let before = said(&project).len();
    let report = server.report(&project, &["--all"]);
    assert_eq!(report["judged"], 120 - before, "{report}");
    assert_eq!(said(&project).len(), 120);
}

#[test]
fn a_long_text_is_cut_so_that_the_server_can_read_it() {
    let texts: Vec<String> = (0..12)
        .map(|i| format!("begins {i} {} ends {i}", "and goes on \u{e4}".repeat(if i < 3 { 400 } else { 1 })))
        .collect();
    let project = made(&["good", "bad"], &texts);
    let server = StandIn::new(|asked| {
        assert!(asked.prompt().len() <= 300 * 3, "{}", asked.prompt().len());
        tokens(&[(" good", 0.5), (" bad", 0.5)])
    });
    let report = server.report(&project, &["--all", "--context", "300"]);
    assert_eq!((&report["judged"], &report["cut"]), (&12.into(), &3.into()), "{report}");
    let cut: Vec<Asked> = server.asked().into_iter().filter(|a| a.prompt().contains(" […] ")).collect();
    assert_eq!(cut.len(), 3);
    for asked in cut {
        let text = asked.text().0;
        let number = text.rsplit(' ').next().unwrap();
        assert!(text.starts_with(&format!("begins {number} ")) && text.ends_with(&format!("ends {number}")));
    }
    let store = Store::open(&project.file(), Access::Read).unwrap();
    let settings = store.predictors().unwrap().pop().unwrap().method.settings_json();
    assert!(settings.contains("tokens of 3 bytes"), "{settings}");
    server.judge(&project, &["--context", "40"]).refused(1, &["of the 40 tokens", "no room"]);
}

#[test]
fn any_wrong_answer_of_a_server_gives_one_sentence_and_loses_nothing() {
    let project = ads(20);
    let body = |text: &str| Said::Status(200, Vec::new(), text.as_bytes().to_vec());
    type Answer = Box<dyn Fn(&Asked) -> Said + Send + Sync>;
    let wrong: Vec<(Answer, &[&str])> = vec![
        (Box::new(|_| failed(401, "no\u{1b}[2J key")), &["status 401", "HARDCASE_API_KEY", "key"]),
        (Box::new(|_| failed(404, "no such model")), &["status 404", "no such model", "/v1"]),
        (Box::new(move |_| body("<html>hello</html>")), &["not one of an OpenAI-compatible server"]),
        (Box::new(move |_| body(r#"{"choices":[{"text":" fine","logprobs""#)), &["not one of an OpenAI"]),
        (
            Box::new(move |_| body(r#"{"choices":[{"text":" fine"}]}"#)),
            &["no log-probabilities", "logits_all"],
        ),
        (Box::new(|_| Said::Status(200, Vec::new(), vec![b' '; 3 << 20])), &["longer than 1024 KiB"]),
        (Box::new(|_| failed(400, "4 tokens too many")), &["status 400", "4 tokens too many", "--context"]),
        (Box::new(|_| Said::Silence), &["did not answer within 1 s", "--timeout"]),
        (
            Box::new(|_| Said::Status(302, vec![("Location", "http://127.0.0.1:9/".into())], Vec::new())),
            &["sends on", "--endpoint"],
        ),
    ];
    for (answer, parts) in wrong {
        let server = StandIn::new(answer);
        server.judge(&project, &["--limit", "3", "--timeout", "1s"]).refused(1, parts);
    }
    assert_eq!(said(&project), []);

    let strange = StandIn::whole(|_| good(&json!({ "hello": 1 })));
    strange.judge(&project, &[]).refused(1, &["/v1/models", "not one of an OpenAI-compatible server"]);
    let empty = StandIn::whole(|_| good(&json!({ "data": [] })));
    empty.judge(&project, &[]).refused(1, &["names no model", "--model NAME"]);
    let loading = StandIn::whole(|_| failed(503, "Loading model"));
    loading.judge(&project, &[]).refused(1, &["status 503", "Loading model"]);
    let lists_none = StandIn::whole(|asked| match asked.path.as_str() {
        "/v1/models" => failed(404, "File Not Found"),
        _ => able(asked),
    });
    lists_none.judge(&project, &["--limit", "3"]).refused(1, &["status 404"]);
    assert_eq!(lists_none.report(&project, &["--limit", "3", "--model", "m"])["judged"], 3);

    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let judge = |url: &str| project.run("judge", &["--endpoint", url, "--timeout", "3s"]);
    judge(&format!("http://{nobody}")).refused(1, &["nothing answers there", "--endpoint"]);
    judge(&strange.url().replace("http:", "https:")).refused(1, &["no encrypted connection", "http://"]);
    judge("http://nowhere.invalid").refused(1, &["ask the server http://nowhere.invalid/v1/models"]);
    judge("localhost:8000").refused(2, &["neither http:// nor https://"]);
    judge("http://me:word@localhost").refused(2, &["HARDCASE_API_KEY"]);
    let mut command = project.command("judge", &["--endpoint", &strange.url(), "--quiet"]);
    command.env("HARDCASE_API_KEY", "two\nlines");
    let ran = run(command);
    ran.refused(2, &["HARDCASE_API_KEY"]);
    assert!(!ran.err.contains("two"), "{}", ran.err);
    assert_eq!(project.json("doctor", &[]).to_string().matches("\"bad\"").count(), 0);
}

/// A key as it is, in parts, spelled, escaped and encoded.
fn echoes(key: &str) -> Vec<String> {
    let each = |f: &dyn Fn(u8) -> String| key.bytes().map(f).collect::<String>();
    vec![
        key.to_owned(),
        key[..key.len() / 2].to_owned(),
        key.chars().rev().collect(),
        key.to_uppercase(),
        each(&|b| format!("{} ", char::from(b))),
        each(&|b| format!("{}\u{200b}", char::from(b))),
        each(&|b| format!("%{b:02x}")),
        each(&|b| format!("\\u{b:04x}")),
        each(&|b| format!("&#{b};")),
        each(&|b| format!("{b:02x}")),
        // `me:` and the key, in base64.
        "bWU6YS1zZWNyZXQta2V5LTdRMlg".to_owned(),
    ]
}

#[test]
fn no_status_and_no_echo_brings_the_key_to_the_screen_or_into_the_file() {
    const KEY: &str = "a-secret-key-7Q2X";
    let project = ads(20);
    let judge = |url: &str, more: &[&str]| {
        let mut command =
            project.command("judge", &[&["--endpoint", url, "--limit", "3", "-v"], more].concat());
        command.env("HARDCASE_API_KEY", KEY);
        run(command)
    };
    let shown = |text: &str| {
        let letters = |text: &str| -> String {
            text.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect()
        };
        let text = letters(text);
        echoes(KEY).iter().map(|echo| letters(echo)).find(|echo| text.contains(echo.as_str()))
    };
    let (mut refusals, mut file) = (0, Vec::new());
    for status in [300, 302, 400, 401, 403, 404, 405, 408, 413, 418, 422, 429, 500, 501, 502, 503, 504, 529] {
        for echo in echoes(KEY) {
            let said = format!("no such key: {echo} ({})", "and more ".repeat(60));
            let server = StandIn::whole(move |_| failed(status, &said));
            let ran = judge(&server.url(), &[]);
            assert_eq!(ran.code, Some(1), "{}", ran.err);
            assert_eq!(shown(&ran.err).or(shown(&ran.out)), None, "status {status}: {}", ran.err);
            assert!(ran.err.contains(&format!("status {status}")) && ran.err.len() < 700, "{}", ran.err);
            refusals += 1;
        }
        file.push(project.run("status", &[]).done().out);
    }
    assert_eq!(refusals, 18 * 11);
    // While texts are read, and where a server names its model so.
    let server = StandIn::new(|_| failed(401, &format!("Bearer {KEY}")));
    file.push(judge(&server.url(), &[]).err);
    let server = StandIn::whole(|_| good(&json!({ "data": [{ "id": format!("m-{KEY}") }] })));
    let ran = judge(&server.url(), &[]);
    assert!(ran.err.contains("named like the key"), "{}", ran.err);
    file.push(ran.err);
    for (url, more) in [(format!("{}/{KEY}/v1", server.url()), vec![]), (server.url(), vec!["--model", KEY])]
    {
        let ran = judge(&url, &more);
        ran.refused(2, &["holds the key", "HARDCASE_API_KEY"]);
        file.push(ran.err);
    }
    for name in ["pool.hardcase", "pool.hardcase-wal"] {
        file.push(
            String::from_utf8_lossy(&std::fs::read(project.path(name)).unwrap_or_default()).into_owned(),
        );
    }
    for text in file {
        assert_eq!(shown(&text), None);
    }
}
