//! The steps of the lab with reqwest, in one client.
use std::{env, time::Duration};

use reqwest::{blocking::Client, Method};

fn step(name: &str) -> (&'static str, Option<(&'static str, &'static str)>) {
    match name {
        "COPY" => ("/src", Some(("Destination", "/copied"))),
        "GET" => ("/src/file%20007.txt", None),
        "PROPFIND" => ("/list", Some(("Depth", "1"))),
        "MOVE" => ("/moving", Some(("Destination", "/other/moved"))),
        "DELETE" => ("/deleting", None),
        _ => panic!("unknown step {name}"),
    }
}

fn send(client: &Client, name: &str, base: &str, ask: bool) -> reqwest::Result<String> {
    let (path, header) = step(name);
    let method = Method::from_bytes(name.as_bytes()).unwrap();
    let mut request = client.request(method, format!("{base}{path}"));
    if let Some((field, value)) = header {
        request = request.header(field, value);
    }
    if ask {
        request = request.header("Prefer", "processing");
    }
    let response = request.send()?;
    let status = response.status().as_u16();
    let body = response.text()?;
    Ok(match name {
        "GET" => format!("{name} {status} {}", body.trim()),
        "PROPFIND" => format!("{name} {status} {}", body.matches("<D:response>").count()),
        _ => format!("{name} {status}"),
    })
}

fn main() {
    let args: Vec<String> = env::args().collect();
    let timeout: f64 = args[2].parse().unwrap();
    let limit = (timeout > 0.0).then(|| Duration::from_secs_f64(timeout));
    let client = Client::builder().timeout(limit).no_proxy().build().unwrap();
    for name in &args[4..] {
        println!("{}", send(&client, name, &args[1], !args[3].is_empty()).unwrap_or_else(|error| format!("{name} {error}")));
    }
}
