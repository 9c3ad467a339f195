//! A running server, and requests to it, byte by byte: some of them are not what a well-meant client would send.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::program::program;

/// `tuwen serve` on a free port, for as long as this lives.
pub struct Server {
    child: Child,
    pub address: String,
}

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
const BOUNDARY: &str = "----tuwen-test";

impl Server {
    pub fn start(gallery: &Path, more: &[&str]) -> Self {
        let mut command = program();
        command.arg("serve").arg("--gallery").arg(gallery);
        command.args(["--port", "0"]).args(more);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program");
        let mut line = String::new();
        let out = child.stdout.take().expect("it is piped");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let address = line
            .trim()
            .trim_start_matches("http://")
            .trim_end_matches('/');
        assert!(!address.is_empty(), "the server did not start");
        Self {
            address: address.to_owned(),
            child,
        }
    }

    /// As `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// As a system that shuts down; the exit status.
    pub fn stop(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let told = std::process::Command::new("kill").arg(&id).status();
        assert!(told.expect("kill").success());
        self.child.wait().expect("it ends").code()
    }

    /// Sends bytes as they are, and reads to the end.
    pub fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time");
        // A server that refuses a body may answer before it has read it all.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    }

    pub fn request(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Answer {
        let mut bytes = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
            self.address
        );
        for header in headers {
            bytes += &format!("{header}\r\n");
        }
        bytes += &format!("Content-Length: {}\r\n\r\n", body.len());
        Answer::of(&self.raw(&[bytes.as_bytes(), body].concat()))
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], b"")
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.request(
            "POST",
            path,
            &["Content-Type: application/json"],
            body.to_string().as_bytes(),
        )
    }

    /// A form: fields, and files with their names.
    pub fn form(&self, path: &str, fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> Answer {
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
        }
        for (name, bytes) in files {
            let head = format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"{name}\"\r\n\
                 Content-Type: image/png\r\n\r\n"
            );
            body.extend(head.bytes());
            body.extend(*bytes);
            body.extend(b"\r\n");
        }
        body.extend(format!("--{BOUNDARY}--\r\n").bytes());
        let kind = format!("Content-Type: multipart/form-data; boundary={BOUNDARY}");
        self.request("POST", path, &[&kind], &body)
    }

    /// The task of an answer, when it is over.
    pub fn task(&self, accepted: &Answer) -> Value {
        assert_eq!(accepted.status, 202, "{}", accepted.text());
        let path = format!("/v1/tasks/{}", accepted.json()["id"]);
        let start = Instant::now();
        loop {
            let task = self.get(&path).json();
            if task["status"] != "queued" && task["status"] != "running" {
                return task;
            }
            assert!(start.elapsed() < PATIENCE, "{task}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub struct Answer {
    pub status: u16,
    pub headers: String,
    pub body: Vec<u8>,
}

impl Answer {
    fn of(bytes: &[u8]) -> Self {
        let end = bytes
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .unwrap_or(bytes.len());
        let headers = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = headers
            .split(' ')
            .nth(1)
            .and_then(|s| s.parse().ok())
            .unwrap_or(0);
        let body = bytes.get(end + 4..).unwrap_or_default().to_vec();
        assert!(
            !headers
                .to_lowercase()
                .contains("transfer-encoding: chunked"),
            "{headers}"
        );
        Self {
            status,
            headers,
            body,
        }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }

    /// Checks that it is a problem of a kind, in the form that all have.
    #[track_caller]
    pub fn is_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{}", self.text());
        assert!(
            self.headers.contains("application/problem+json"),
            "{}",
            self.headers
        );
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status);
        assert!(
            !problem["detail"].as_str().unwrap_or_default().is_empty(),
            "{problem}"
        );
    }
}
