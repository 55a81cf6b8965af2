//! The program itself: killed at every crash point, and its exit codes and output.

use std::path::Path;
use std::process::{Output, Stdio};

use crate::support::{KEY, Loopback, export_of};
use tokio::process::Command;

/// The program with a folder and a server, and nothing of this machine's settings.
fn contributor(folder: &Path, server: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_contributor"));
    command
        .current_dir(folder)
        .env_clear()
        .env("CONTRIBUTOR__SERVER", server)
        .env("CONTRIBUTOR__API_KEY", KEY)
        .env("CONTRIBUTOR__DATA_DIR", folder.join("data"))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

async fn run(command: &mut Command) -> Output {
    command.output().await.unwrap()
}

#[tokio::test]
async fn a_kill_at_any_point_loses_nothing_and_doubles_nothing() {
    let expected: Vec<String> = (1..=1100).map(|id| id.to_string()).collect();
    for point in ["outbox_staged", "batch_sending", "batch_acknowledged", "batch_forgotten"] {
        for times in [1, 2] {
            let folder = tempfile::tempdir().unwrap();
            let server = Loopback::start().await;
            let file = export_of(folder.path(), 1100, 2);
            let mut first = contributor(folder.path(), &server.url);
            first.env("CALLBOARD_CRASH_AT", format!("{point}:{times}")).arg("import").arg(&file);
            let killed = run(&mut first).await;
            assert_eq!(killed.status.code(), None, "{point}:{times} {}", text(&killed.stderr));
            let done = run(contributor(folder.path(), &server.url).arg("import").arg(&file)).await;
            assert!(done.status.success(), "{point}:{times} {}", text(&done.stderr));
            assert_eq!(server.kept(), expected, "{point}:{times}");
        }
    }
}

#[tokio::test]
async fn exit_codes_tell_input_configuration_and_credentials_apart() {
    let folder = tempfile::tempdir().unwrap();
    let server = Loopback::start().await;
    let bad = folder.path().join("notes.json");
    std::fs::write(&bad, "no export").unwrap();
    let input = run(contributor(folder.path(), &server.url).arg("import").arg(&bad)).await;
    assert_eq!(input.status.code(), Some(2));
    let told = text(&input.stderr);
    assert!(told.contains("notes.json is not a DiscordChatExporter JSON export: byte 0"), "{told}");
    let plain_http = run(contributor(folder.path(), "http://calls.example").arg("send")).await;
    assert_eq!(plain_http.status.code(), Some(78));
    let good = export_of(folder.path(), 3, 2);
    let mut wrong_key = contributor(folder.path(), &server.url);
    let wrong_key = run(wrong_key.env("CONTRIBUTOR__API_KEY", "cb_wrong").arg("import").arg(&good)).await;
    assert_eq!(wrong_key.status.code(), Some(78), "{}", text(&wrong_key.stderr));
    let usage =
        run(contributor(folder.path(), &server.url).args(["import", "--replay", "0", "a.json"])).await;
    assert_eq!(usage.status.code(), Some(2));
    let other = run(contributor(folder.path(), "http://127.0.0.1:9").arg("send")).await;
    assert_eq!(other.status.code(), Some(78), "the outbox belongs to the first server");
    assert!(text(&other.stderr).contains("use another --data-dir"), "{}", text(&other.stderr));
}

#[tokio::test]
async fn status_and_config_show_what_there_is_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let server = Loopback::start().await;
    let none = run(contributor(folder.path(), &server.url).arg("status")).await;
    assert!(text(&none.stdout).starts_with("no outbox yet in "), "{}", text(&none.stdout));
    let file = export_of(folder.path(), 3, 2);
    let done = run(contributor(folder.path(), &server.url).arg("import").arg(&file)).await;
    assert!(text(&done.stdout).contains("server: 3 sent: 3 stored, 0 revisions"), "{}", text(&done.stdout));
    let status = run(contributor(folder.path(), &server.url).args(["status", "--json"])).await;
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!((&status["waiting"], &status["sent"]["stored"]), (&0.into(), &3.into()));
    let shown = run(contributor(folder.path(), &server.url).args(["config", "show"])).await;
    assert!(text(&shown.stdout).contains("api_key = \"[redacted]\""), "{}", text(&shown.stdout));
    assert!(!text(&shown.stdout).contains(KEY));
}

#[tokio::test]
async fn a_stop_on_request_keeps_the_outbox_and_says_what_waits() {
    let folder = tempfile::tempdir().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let file = export_of(folder.path(), 3, 2);
    let mut import = contributor(folder.path(), &url);
    import.arg("import").arg(&file).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = import.spawn().unwrap();
    // The connection is the sign that posts are staged and on their way; this server never answers.
    let (_silent, _) = listener.accept().await.unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(text(&output.stderr).contains("3 posts wait in the outbox"), "{}", text(&output.stderr));
}

#[tokio::test]
async fn the_key_goes_to_the_server_alone_and_neither_to_a_proxy_nor_to_a_redirect() {
    let folder = tempfile::tempdir().unwrap();
    let server = Loopback::start().await;
    let elsewhere = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = format!("http://{}", elsewhere.local_addr().unwrap());
    let file = export_of(folder.path(), 3, 2);
    let mut import = contributor(folder.path(), &server.url);
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        import.env(variable, &other);
    }
    tokio::select! {
        done = run(import.arg("import").arg(&file)) => assert!(done.status.success(), "{}", text(&done.stderr)),
        _ = elsewhere.accept() => panic!("the request went to the proxy of the environment"),
    }
    assert_eq!(server.kept(), ["1", "2", "3"]);

    let folder = tempfile::tempdir().unwrap();
    let redirecting = redirect_to(format!("{other}/v1/messages")).await;
    let mut import = contributor(folder.path(), &redirecting);
    tokio::select! {
        done = run(import.arg("import").arg(&file)) => assert_eq!(done.status.code(), Some(78)),
        _ = elsewhere.accept() => panic!("the redirect was followed"),
    }
}

/// Starts a server that sends everybody elsewhere, and returns its address.
async fn redirect_to(target: String) -> String {
    let answer = axum::response::Redirect::temporary(&target);
    let app = axum::Router::new().fallback(async move || answer.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    url
}
