//! How a server bears up: `cargo bench --bench server -- GALLERY [SECONDS [FILTER]]`.
//!
//! The training captions of the gallery's model ask: by one client, by sixteen, and by sixty-four while pictures are added
//! and removed; pictures of the gallery ask at 224 pixels. Clients and server share the machine. A FILTER replaces all of that
//! by one client's questions with it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use image::imageops::FilterType;
use serde_json::{Value, json};
use tuwen::engine::Engine;

const QUESTIONS: usize = 300;
const BOUNDARY: &str = "tuwen-bench";

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(gallery: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tuwen"));
        command
            .args(["serve", "--port", "0", "--gallery"])
            .arg(gallery);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program");
        let mut line = String::new();
        let out = child.stdout.take().expect("it is piped");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let address = line
            .trim()
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned();
        Self { child, address }
    }

    /// MiB that are the server's own, and all that is mapped.
    fn memory(&self) -> [usize; 2] {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .unwrap_or_default();
        ["RssAnon:", "VmRSS:"].map(|name| {
            let line = status.lines().find_map(|l| l.strip_prefix(name));
            line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<usize>().ok())
                .unwrap_or(0)
                >> 10
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client that keeps its connection.
struct Client {
    stream: BufReader<TcpStream>,
    host: String,
}

impl Client {
    fn new(server: &Server) -> Self {
        let stream = TcpStream::connect(&server.address).expect("it listens");
        stream.set_nodelay(true).expect("it can be set");
        Self {
            stream: BufReader::new(stream),
            host: server.address.clone(),
        }
    }

    fn send(&mut self, method: &str, path: &str, kind: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            self.host,
            body.len()
        );
        let out = self.stream.get_mut();
        out.write_all(&[head.as_bytes(), body].concat())
            .expect("it listens");
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).expect("an answer");
            let line = line.trim().to_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest[..3].parse().expect("a status");
            }
            if let Some(n) = line.strip_prefix("content-length:") {
                length = n.trim().parse().expect("a length");
            }
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer).expect("an answer");
        (status, answer)
    }

    fn ask(&mut self, question: &Value) -> (u16, Vec<u8>) {
        self.send(
            "POST",
            "/v1/search",
            "application/json",
            question.to_string().as_bytes(),
        )
    }

    fn upload(&mut self, path: &str, picture: &[u8]) -> (u16, Vec<u8>) {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"a.jpg\"\r\n\r\n"
        );
        let body = [
            head.as_bytes(),
            picture,
            format!("\r\n--{BOUNDARY}--\r\n").as_bytes(),
        ]
        .concat();
        self.send(
            "POST",
            path,
            &format!("multipart/form-data; boundary={BOUNDARY}"),
            &body,
        )
    }
}

fn told(what: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!(
        "{what}: p50 {:.1} ms, p99 {:.1} ms ({} requests)",
        at(0.5),
        at(0.99),
        times.len()
    );
}

fn timed(times: &mut Vec<f64>, work: impl FnOnce() -> u16) {
    let start = Instant::now();
    assert_eq!(work(), 200);
    times.push(1e3 * start.elapsed().as_secs_f64());
}

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let Some(gallery) = arguments.first().map(Path::new) else {
        println!("no gallery given: nothing measured");
        return;
    };
    let seconds = arguments.get(1).map_or(10, |s| s.parse().expect("seconds"));
    let engine = Engine::open(gallery).expect("a gallery");
    let captions = engine
        .model()
        .captions()
        .expect("a whole model")
        .expect("a model with captions");
    let step = (captions.texts.len() / QUESTIONS).max(1);
    let texts: Vec<&String> = captions
        .texts
        .iter()
        .step_by(step)
        .take(QUESTIONS)
        .collect();
    let server = Server::start(gallery);
    let mut client = Client::new(&server);
    client.ask(&json!({"text": texts[0]}));
    let filter = arguments.get(2);
    let mut times = Vec::new();
    for text in &texts {
        let question = json!({"text": text, "filter": filter});
        timed(&mut times, || client.ask(&question).0);
    }
    told("sentences, 1 client", times);
    if filter.is_none() {
        throughput(&server, &texts, 16, Duration::from_secs(10));
        let pictures = pictures(&engine);
        if pictures.is_empty() {
            println!("the gallery's files are not there: nothing uploaded");
        } else {
            uploads(&mut client, &pictures);
            under_change(&server, &texts, &pictures, Duration::from_secs(seconds));
        }
    }
    let [own, all] = server.memory();
    println!("memory: {own} MiB of its own, {all} MiB with mapped files");
}

/// Pictures of the gallery as a page would send them.
fn pictures(engine: &Engine) -> Vec<Vec<u8>> {
    let view = engine.view().expect("a gallery");
    let keys: Vec<u64> = view
        .snapshot
        .all_ids()
        .step_by(80)
        .take(100)
        .map(|id| id.expect("an id").0)
        .collect();
    let items = view.snapshot.items(&keys).expect("items");
    let small = |path: String| {
        let picture = image::open(path)
            .ok()?
            .resize(224, 224, FilterType::Triangle)
            .to_rgb8();
        let mut jpeg = Cursor::new(Vec::new());
        picture.write_to(&mut jpeg, image::ImageFormat::Jpeg).ok()?;
        Some(jpeg.into_inner())
    };
    items
        .into_iter()
        .flatten()
        .filter_map(|item| small(item.facts.path))
        .collect()
}

fn uploads(client: &mut Client, pictures: &[Vec<u8>]) {
    let mut times = Vec::new();
    for picture in pictures {
        timed(&mut times, || client.upload("/v1/search", picture).0);
    }
    told("uploaded pictures of 224 px, 1 client", times);
}

fn throughput(server: &Server, texts: &[&String], clients: usize, time: Duration) {
    let answered = AtomicUsize::new(0);
    let times = Mutex::new(Vec::new());
    let start = Instant::now();
    std::thread::scope(|scope| {
        for first in 0..clients {
            let (answered, times) = (&answered, &times);
            scope.spawn(move || {
                let mut client = Client::new(server);
                let mut own = Vec::new();
                for text in texts.iter().cycle().skip(first * 7) {
                    if start.elapsed() > time {
                        break;
                    }
                    timed(&mut own, || client.ask(&json!({"text": text})).0);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                times.lock().expect("no panic").extend(own);
            });
        }
    });
    let rate = answered.into_inner() as f64 / start.elapsed().as_secs_f64();
    told(
        &format!("sentences, {clients} clients, {rate:.0} a second"),
        times.into_inner().expect("no panic"),
    );
}

/// Sixty-four clients whose answers do not depend on what is added and removed meanwhile.
fn under_change(server: &Server, texts: &[&String], pictures: &[Vec<u8>], time: Duration) {
    let question =
        |text: &str| json!({"text": text, "filter": "not folder = \"/uploads\"", "limit": 10});
    let ids = |answer: &[u8]| -> Vec<u64> {
        let answer: Value = serde_json::from_slice(answer).expect("JSON");
        let hits = answer["hits"].as_array().expect("hits").iter();
        hits.map(|h| h["key"].as_u64().expect("a key")).collect()
    };
    let mut client = Client::new(server);
    let right: Vec<Vec<u64>> = texts
        .iter()
        .map(|t| ids(&client.ask(&question(t)).1))
        .collect();
    let before = server.memory();
    let (stop, wrong) = (AtomicBool::new(false), AtomicUsize::new(0));
    let statuses = Mutex::new(BTreeMap::<u16, usize>::new());
    let changes = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for first in 0..64 {
            let (stop, wrong, statuses, right) = (&stop, &wrong, &statuses, &right);
            scope.spawn(move || {
                let mut client = Client::new(server);
                for (text, right) in texts.iter().zip(right).cycle().skip(first * 5) {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let (status, answer) = client.ask(&question(text));
                    if status == 200 && ids(&answer) != *right {
                        wrong.fetch_add(1, Ordering::Relaxed);
                    }
                    *statuses
                        .lock()
                        .expect("no panic")
                        .entry(status)
                        .or_default() += 1;
                }
            });
        }
        let name = client.send("GET", "/v1/galleries", "", b"").1;
        let name: Value = serde_json::from_slice(&name).expect("JSON");
        let items = format!(
            "/v1/galleries/{}/items",
            name["galleries"][0]["name"].as_str().expect("a name")
        );
        let start = Instant::now();
        for picture in pictures.iter().cycle() {
            if start.elapsed() > time {
                break;
            }
            let (status, task) = client.upload(&items, picture);
            assert_eq!(status, 202);
            let task: Value = serde_json::from_slice(&task).expect("JSON");
            let keys = loop {
                let (_, now) = client.send("GET", &format!("/v1/tasks/{}", task["id"]), "", b"");
                let now: Value = serde_json::from_slice(&now).expect("JSON");
                match now["status"].as_str() {
                    Some("done") => break now["keys"].clone(),
                    Some("failed") => panic!("{now}"),
                    _ => std::thread::sleep(Duration::from_millis(20)),
                }
            };
            let key = &keys[0];
            assert_eq!(
                client.send("DELETE", &format!("{items}/{key}"), "", b"").0,
                202
            );
            changes.fetch_add(2, Ordering::Relaxed);
        }
        stop.store(true, Ordering::Relaxed);
    });
    let after = server.memory();
    println!(
        "64 clients for {} s, {} changes: statuses {:?}, {} wrong answers; own memory {} MiB before, {} MiB after",
        time.as_secs(),
        changes.into_inner(),
        statuses.into_inner().expect("no panic"),
        wrong.into_inner(),
        before[0],
        after[0]
    );
}
