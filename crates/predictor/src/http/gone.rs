//! Routes of the Python original that no longer exist.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::problem::Problem;

/// Paths below `/api` that kept imaginary bets.
pub(super) const BETTING: [&str; 2] = ["/api/betting_history", "/api/reset_betting"];

/// Any method on [`BETTING`]: 410, with what to use instead.
pub(super) async fn betting() -> Result<HttpResponse, Problem> {
    let detail = "imaginary bets are no longer kept; /api/simulation shows what equal stakes would have brought";
    Err(Problem::new("gone", StatusCode::GONE, detail))
}
