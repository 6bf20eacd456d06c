//! `GET /api/simulation`: what equal stakes on one cash-out target would have brought.

use actix_web::{HttpRequest, HttpResponse, web};
use evaluation::HouseLaw;
use evaluation::flat_stakes::{FlatStakes, band_of_luck, expected_net};
use serde::Serialize;

use super::etag::{Answer, Caching, answer};
use super::problem::Problem;
use super::round_routes::tag_of_rounds;
use crate::http::query::{Simulation, SimulationQuery};
use crate::snapshot::round_history::RoundHistory;
use crate::table::TableHandle;

/// Share of runs that luck alone keeps inside the band.
const BAND: f64 = 0.8;

#[derive(Serialize)]
struct SimulationBody {
    success: bool,
    target: f64,
    stake: f64,
    bankroll: Option<f64>,
    rounds: u64,
    first: Option<u64>,
    last: Option<u64>,
    bets: u64,
    won: u64,
    staked: f64,
    net: f64,
    balance: Option<f64>,
    net_per_100: Option<f64>,
    expected_per_100: f64,
    luck: Band,
    longest_losing_run: u64,
    largest_drawdown: f64,
    broke_after: Option<u64>,
    points: Vec<Point>,
}

/// The net lies in this range in 80 of 100 runs in which only luck decides.
#[derive(Serialize, Clone, Copy)]
struct Band {
    lo: f64,
    hi: f64,
}

#[derive(Serialize)]
struct Point {
    round: u64,
    net: f64,
    lo: f64,
    hi: f64,
}

/// Answers from the rounds of the query, which all count, whether there was a forecast or not.
pub(crate) async fn simulation(
    request: HttpRequest,
    handle: web::Data<TableHandle>,
    query: web::Query<SimulationQuery>,
) -> Result<HttpResponse, Problem> {
    let asked = query.simulation()?;
    let snapshot = handle.snapshot.load_full();
    let history = &snapshot.round_history;
    Ok(answer(&request, &tag_of_rounds(&snapshot), Caching::Revalidate, || {
        Answer::json(&simulated(&asked, history, &snapshot.law))
    }))
}

fn simulated(asked: &Simulation, history: &RoundHistory, law: &HouseLaw) -> SimulationBody {
    let Simulation { stake, target_cents, .. } = *asked;
    let range = asked.span.of(history);
    let chance = law.survival_cents(target_cents);
    let band = |bets| {
        let (lo, hi) = band_of_luck(target_cents, bets, chance, BAND);
        Band { lo: stake * lo, hi: stake * hi }
    };
    let mut bets_made =
        FlatStakes::new(target_cents, asked.bankroll.map(|bankroll| bankroll / stake));
    let mut broke_after = None;
    let mut points = Vec::with_capacity(asked.points + 1);
    let step = range.len().div_ceil(asked.points).max(1);
    for (index, row) in range.clone().zip(history.range(range.clone())) {
        bets_made.play(row.round.multiplier.cents());
        let round = index as u64 + 1;
        if bets_made.is_broke() && bets_made.bets() > 0 {
            broke_after.get_or_insert(round);
        }
        let played = index + 1 - range.start;
        if played.is_multiple_of(step) || index + 1 == range.end {
            let Band { lo, hi } = band(played as u64);
            points.push(Point { round, net: stake * bets_made.net(), lo, hi });
        }
    }
    let net = stake * bets_made.net();
    let staked = stake * bets_made.bets() as f64;
    SimulationBody {
        success: true,
        target: evaluation::multiplier(target_cents),
        stake,
        bankroll: asked.bankroll,
        rounds: range.len() as u64,
        first: (!range.is_empty()).then_some(range.start as u64 + 1),
        last: (!range.is_empty()).then_some(range.end as u64),
        bets: bets_made.bets(),
        won: bets_made.won(),
        staked,
        net,
        balance: asked.bankroll.map(|bankroll| bankroll + net),
        net_per_100: (bets_made.bets() > 0).then(|| 100.0 * net / staked),
        expected_per_100: 100.0 * expected_net(target_cents, chance),
        luck: band(range.len() as u64),
        longest_losing_run: bets_made.longest_losing_run(),
        largest_drawdown: stake * bets_made.largest_drawdown(),
        broke_after,
        points,
    }
}
