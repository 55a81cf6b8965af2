//! The serving role in the database: it can add to the log and can take nothing away, whoever speaks through it.

use server::auth::Role;
use sqlx::{Executor, PgConnection, PgPool};
use support::postgres::Scratch;
use support::posts::{batch, sighting, signal_text};
use support::program::{ServerProgram, command, run};
use support::server::{Api, create_key};

/// What may never be changed or deleted, each with one of its columns.
const KEPT: [(&str, &str); 4] =
    [("events", "seq"), ("posts", "id"), ("sightings", "post_id"), ("audit", "id")];

/// The SQLSTATE of the refusal; fails when there is none.
async fn refusal(connection: &mut PgConnection, statement: &str) -> String {
    let done = connection.execute(sqlx::AssertSqlSafe(statement.to_owned())).await;
    let error = done.expect_err(statement);
    error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned()
}

async fn tables(pool: &PgPool) -> Vec<String> {
    let names = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
    sqlx::query_scalar(names).fetch_all(pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_serving_role_can_neither_change_nor_delete_what_is_kept_for_ever() {
    let scratch = Scratch::new().await;
    let pool = scratch.serving_pool().await;
    let mut connection = pool.acquire().await.unwrap();
    for (table, column) in KEPT {
        for statement in [
            format!("UPDATE {table} SET {column} = {column}"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
            format!("DROP TABLE {table}"),
            format!("ALTER TABLE {table} ADD COLUMN more text"),
            format!(
                "CREATE TRIGGER t AFTER INSERT ON {table} EXECUTE FUNCTION suppress_redundant_updates_trigger()"
            ),
        ] {
            assert_eq!(refusal(&mut connection, &statement).await, "42501", "{statement}");
        }
    }
    for statement in [
        "UPDATE log_head SET only_row = false",
        "DELETE FROM log_head",
        "CREATE TABLE mine (a int)",
        "CREATE ROLE mine",
        "COPY events TO PROGRAM 'cat'",
        "COPY events FROM '/etc/passwd'",
        "SELECT pg_read_file('/etc/passwd')",
    ] {
        assert_eq!(refusal(&mut connection, statement).await, "42501", "{statement}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_table_can_be_emptied_by_the_serving_role_which_is_no_superuser() {
    let scratch = Scratch::new().await;
    let owner = scratch.pool().await;
    let found = tables(&owner).await;
    assert!(found.len() > 9, "{found:?}");
    for table in found {
        let held = "SELECT has_table_privilege('callboard_app', $1, 'DELETE') OR has_table_privilege('callboard_app', $1, 'TRUNCATE'),
            has_table_privilege('callboard_app', $1, 'SELECT')";
        let (may_delete, may_read): (bool, bool) =
            sqlx::query_as(held).bind(&table).fetch_one(&owner).await.unwrap();
        assert!(!may_delete && may_read, "{table}");
    }
    let role = "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls FROM pg_roles WHERE rolname = 'callboard_app'";
    let is_mighty: bool = sqlx::query_scalar(role).fetch_one(&owner).await.unwrap();
    assert!(!is_mighty);
}

#[tokio::test(flavor = "multi_thread")]
async fn migrating_again_takes_back_rights_that_are_too_many() {
    let scratch = Scratch::new().await;
    let owner = scratch.pool().await;
    owner.execute("GRANT DELETE ON events TO callboard_app").await.unwrap();
    scratch.migrate().await;
    let pool = scratch.serving_pool().await;
    let mut connection = pool.acquire().await.unwrap();
    assert_eq!(refusal(&mut connection, "DELETE FROM events").await, "42501");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_works_with_a_login_that_owns_nothing() {
    let scratch = Scratch::new().await;
    let owner = scratch.pool().await;
    // Roles belong to the whole cluster, and outlive a run.
    let login = "DO $$ BEGIN CREATE ROLE only_serves LOGIN IN ROLE callboard_app; EXCEPTION WHEN duplicate_object THEN END $$";
    owner.execute(login).await.unwrap();
    let url = scratch.url_of("only_serves");
    let mut serve = command("server");
    serve.args(["serve", "--listen", "127.0.0.1:0"]).env("DATABASE_URL", &url);
    let server = ServerProgram::start(&mut serve).await.expect("the server starts");
    let key = create_key(&owner, Role::Contributor).await;
    let kept = Api::new(&server.url, &key).post(&batch([sighting(1, &signal_text("BTC"))])).await;
    assert_eq!(kept.len(), 1);
    let refused = run(command("server").arg("migrate").env("DATABASE_URL", &url)).await;
    assert_eq!(refused.code, Some(1), "it cannot grant itself more: {}", refused.out);
}
