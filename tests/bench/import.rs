//! How fast an export gets through contributor and server into PostgreSQL, against single-row commits of `pgbench` on the
//! same cluster: the way in which most programs of this kind store messages.

use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use shared::wire::ChannelsPage;
use support::program::{command, run};

use crate::figures::{Figures, median};
use crate::{Bench, export, postgres_programs};

/// How long `pgbench` runs in each round.
const PGBENCH_SECONDS: &str = "4";

pub(crate) async fn measure(figures: &mut Figures, rounds: u32, posts: u32) -> anyhow::Result<()> {
    let (mut rates, mut commits, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let file = tempfile::Builder::new().suffix(".json").tempfile()?;
    export::write(file.path(), posts)?;
    for round in 1..=rounds {
        let bench = Bench::start().await?;
        let rate = import(&bench, file.path(), posts).await?;
        rates.push(rate);
        match pgbench(&bench).await? {
            Some(single) => {
                println!("round {round}: import {rate:.0} posts/s, single-row commits {single:.0}/s");
                commits.push(single);
                ratios.push(rate / single);
            }
            None => println!("round {round}: import {rate:.0} posts/s (pgbench is not installed: no ratio)"),
        }
    }
    figures.add("import_posts_per_s", median(&mut rates));
    if !ratios.is_empty() {
        figures.add("pgbench_commits_per_s", median(&mut commits));
        figures.add("import_vs_pgbench", median(&mut ratios));
    }
    Ok(())
}

/// Posts per second from the start of the program to its end, when everything is acknowledged.
async fn import(bench: &Bench, file: &Path, posts: u32) -> anyhow::Result<f64> {
    let api = bench.api("contributor").await?;
    let mut import = command("contributor");
    import.env("CONTRIBUTOR__API_KEY", &api.key).args(["--server", &api.url, "--data-dir"]);
    import.arg(bench.folder.path().join("contributor")).arg("import").arg(file);
    let began = Instant::now();
    let ended = run(&mut import).await;
    let took = began.elapsed();
    anyhow::ensure!(ended.code == Some(0), "the import failed: {}{}", ended.out, ended.err);
    let page: ChannelsPage = api.get("/v1/channels").await;
    let stored = page.channels.first().map_or(0, |channel| channel.posts.revisions);
    anyhow::ensure!(stored == i64::from(posts), "{stored} of {posts} posts are stored");
    Ok(f64::from(posts) / took.as_secs_f64())
}

/// Single-row commits per second of one client; `None` when `pgbench` is not installed.
async fn pgbench(bench: &Bench) -> anyhow::Result<Option<f64>> {
    let programs = postgres_programs(&bench.data()).context("the cluster's programs were not found")?;
    if !programs.join("pgbench").is_file() {
        return Ok(None);
    }
    let script = bench.folder.path().join("insert.sql");
    std::fs::write(&script, "INSERT INTO single (body) VALUES (repeat('x', 300));\n")?;
    let socket = bench.data().join("socket");
    let mut create = tokio::process::Command::new(programs.join("psql"));
    create.args(["-qX", "-U", "callboard", "-d", "callboard", "-h"]).arg(&socket);
    create.args(["-c", "CREATE TABLE IF NOT EXISTS single (id bigserial PRIMARY KEY, body text)"]);
    let created = run(&mut create).await;
    anyhow::ensure!(created.code == Some(0), "psql: {}", created.err);
    let mut pgbench = tokio::process::Command::new(programs.join("pgbench"));
    pgbench
        .args(["-n", "-c", "1", "-T", PGBENCH_SECONDS, "-U", "callboard", "-h"])
        .arg(&socket)
        .arg("-f")
        .arg(&script);
    let measured = run(pgbench.arg("callboard")).await;
    anyhow::ensure!(measured.code == Some(0), "pgbench: {}", measured.err);
    let line = measured.out.lines().find_map(|line| line.strip_prefix("tps = "));
    let rate = line.and_then(|line| line.split_whitespace().next()).context("pgbench printed no tps")?;
    Ok(Some(rate.parse()?))
}
