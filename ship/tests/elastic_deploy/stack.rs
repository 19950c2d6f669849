//! What runs: the containers, and what sets a cluster up.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{deploy, template, text};
use crate::support::cluster::Cluster;

#[test]
fn versions_are_pinned_and_everything_wants_a_password() {
    // S3-032
    let (compose, example) = (text(&deploy("docker-compose.yml")), text(&deploy("env.example")));
    let version = example.lines().find_map(|line| line.strip_prefix("STACK_VERSION=")).unwrap();
    assert!(
        version.split('.').count() == 3 && version.split('.').all(|part| part.parse::<u32>().is_ok()),
        "{version}"
    );
    for image in compose.lines().filter_map(|line| line.trim().strip_prefix("image: ")) {
        assert!(image.starts_with("docker.elastic.co/") && image.contains(":${STACK_VERSION"), "{image}");
    }
    assert!(compose.contains("license.self_generated.type: basic"));
    assert!(!compose.contains("security.enabled: \"false\"") && !compose.contains(":latest"));
    // What a variable is not set for is asked for, in words; and the example names each.
    for (at, _) in compose.match_indices("${") {
        let name: String =
            compose[at + 2..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        assert!(example.contains(&format!("{name}=")), "{name}");
    }
    // Passwords have no defaults, and ports are open to this machine alone.
    for line in example.lines().filter(|line| line.contains("PASSWORD=") || line.contains("KEY=")) {
        assert!(line.ends_with('='), "{line}");
    }
    assert!(example.lines().filter(|line| line.contains("_PORT=")).all(|line| line.contains("127.0.0.1:")));
    for name in ["docker-compose.yml", "filebeat.yml"] {
        yaml(&deploy(name));
    }
    serde_json::from_str::<Value>(&text(&deploy("ingest-pipeline.json"))).unwrap();
}

/// Holds when a file is YAML.
#[track_caller]
fn yaml(path: &Path) {
    let text = text(path);
    let mut events = 0;
    for event in saphyr_parser::Parser::new_from_str(&text) {
        event.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        events += 1;
    }
    assert!(events > 20);
}

#[test]
fn the_setup_tells_a_cluster_everything_and_may_run_twice() {
    let cluster = Cluster::start();
    let base = format!("http://127.0.0.1:{}", cluster.port);
    let run = |password: &str| {
        Command::new("sh")
            .arg(deploy("setup.sh"))
            .env("ELASTIC_HOSTS", &base)
            .env("KIBANA_HOSTS", &base)
            .env("ELASTIC_PASSWORD", password)
            .env("KIBANA_PASSWORD", "canary-8")
            .env("SETUP_TRIES", "1")
            .output()
            .unwrap()
    };
    // `elastic:right`
    cluster.with(|state| state.password = Some("Basic ZWxhc3RpYzpyaWdodA==".to_owned()));
    let output = run("wrong");
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("does not answer"));
    let output = run("right");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("canary-8") && !said.contains("right"));
    let rules = fs::read_dir(deploy("rules")).unwrap().count();
    cluster.with(|state| {
        assert_eq!(state.templates["tapelog"]["version"], template()["version"]);
        assert!(state.policies.contains_key("tapelog") && state.pipelines == ["tapelog"]);
        assert_eq!(state.rules.len(), rules);
        assert!(state.imported.contains("[tapelog] Order lifecycle"));
        assert_eq!(state.kibana_password.as_deref(), Some("canary-8"));
        // Somebody changes a rule; it stays.
        state.rules.values_mut().next().unwrap()["name"] = "mine".into();
    });
    let output = run("right");
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).matches("is there already").count() == rules);
    assert!(cluster.with(|state| state.rules.values().any(|rule| rule["name"] == "mine")));
    cluster.with(|state| state.manages = false);
    let output = run("right");
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("403"));
}
