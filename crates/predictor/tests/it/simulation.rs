//! `/api/simulation` against the backtest and by hand.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::program::check;
use crate::test_app::{Data, FILE, TestApp};

#[tokio::test]
async fn bets_on_the_rounds_of_a_backtest_bring_what_it_says() {
    let data = Data::with_rounds(200);
    let out = Data::empty();
    let (file, json) = (data.file(FILE), out.file("report.json"));
    let args = ["--refit", "every=100%", "--json", json.to_str().unwrap()];
    let file = ["backtest", "--file", file.to_str().unwrap(), "--target", "2", "--target", "3.5"];
    check(&[&file[..], &args[..]].concat(), 0, "");
    let report: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let app = TestApp::start(data.manual());
    app.look().await;
    let rows = report["flat_stakes"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        let (target, bets) = (&row["target"], &row["every_round"]);
        let path = format!("/api/simulation?target={target}&limit={}", bets["count"]);
        let simulated = app.get(&path).await;
        assert_eq!(simulated["last"], 200);
        for (key, expected) in [("bets", "count"), ("won", "won")] {
            assert_eq!(simulated[key], bets[expected], "{path} {key}");
        }
        let close = |shown: &Value, exact: &Value| {
            let (shown, exact) = (shown.as_f64().unwrap(), exact.as_f64().unwrap());
            assert!((shown - exact).abs() <= 1e-4, "{path}: {shown} {exact}");
        };
        close(&simulated["net"], &bets["net"]);
        close(&simulated["net_per_100"], &bets["return_percent"]["value"]);
        let edge = row["house_edge_percent"].as_f64().unwrap();
        close(&simulated["expected_per_100"], &(-edge).into());
    }
}

#[tokio::test]
async fn amounts_are_in_stakes_and_betting_ends_with_the_bankroll() {
    let data = Data::empty();
    let rows = ["00:00Z,1.00", "01:00Z,2.50", "02:00Z,1.20", "03:00Z,1.10", "04:00Z,9.00"];
    let rows = rows.map(|row| format!("2026-01-01T00:{row}\n")).concat();
    data.write(FILE, format!("timestamp,multiplier\n{rows}"));
    let app = TestApp::start(data.manual());
    app.look().await;
    let free = app.get("/api/simulation?target=2&stake=10&points=2").await;
    assert_eq!(
        (&free["bets"], &free["won"], &free["net"]),
        (&5.into(), &2.into(), &(-10.0).into())
    );
    assert_eq!((&free["longest_losing_run"], &free["largest_drawdown"]), (&2.into(), &20.0.into()));
    assert_eq!((&free["balance"], &free["broke_after"]), (&Value::Null, &Value::Null));
    let after: Vec<&Value> =
        free["points"].as_array().unwrap().iter().map(|it| &it["round"]).collect();
    assert_eq!(after, [3, 5]);
    let spent = app.get("/api/simulation?target=2&stake=10&bankroll=25").await;
    assert_eq!((&spent["bets"], &spent["broke_after"]), (&4.into(), &4.into()));
    assert_eq!(spent["balance"], 5.0);
    let morning = app.get("/api/simulation?to=2026-01-01T00:02:00Z").await;
    assert_eq!(
        (&morning["first"], &morning["last"], &morning["won"]),
        (&1.into(), &2.into(), &1.into())
    );
    let none = app.get("/api/simulation?from=2030-01-01T00:00:00Z").await;
    assert_eq!(
        (&none["rounds"], &none["first"], &none["net_per_100"]),
        (&0.into(), &Value::Null, &Value::Null)
    );
    for bad in ["target=1", "target=2.005", "stake=0", "bankroll=-1", "points=1", "stakes=1"] {
        let refused = app.ask(Method::GET, &format!("/api/simulation?{bad}")).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{bad}");
    }
}
