// Types of the API's answers, for the type checker. The page never loads this file; docs/reference/api.md describes the API.

/**
 * @typedef {object} Interval
 * @property {number} lo
 * @property {number} hi
 * @property {number} level
 */

/**
 * @typedef {object} Prediction
 * @property {number} predicted_multiplier
 * @property {number} calibrated_multiplier
 * @property {"house" | "climatology" | "models"} served
 * @property {number} kappa
 * @property {{ proven: boolean, multiplier: number, trust: number, scale: number, probabilities: number[] }} models_guess
 * @property {number} house_multiplier
 * @property {Interval} interval
 * @property {{ target: number, probability: number, house: number, break_even: number }[]} probabilities
 * @property {{ name: string, mean_ln: number, multiplier: number }[]} members
 * @property {number} last_actual
 * @property {"increasing" | "decreasing" | "stable"} trend
 * @property {string} predicted_at
 * @property {number} data_points_used
 * @property {string | number} model_version
 * @property {number} for_round
 */

/**
 * @typedef {object} RecentRound
 * @property {string} time
 * @property {number} multiplier
 * @property {number | null} lo
 * @property {number | null} hi
 * @property {number | null} point
 * @property {boolean | null} inside
 */

/**
 * @typedef {object} Settled
 * @property {number} round
 * @property {string} predicted_at
 * @property {number} predicted_multiplier
 * @property {number} calibrated_multiplier
 * @property {number} lo
 * @property {number} hi
 * @property {number | null} actual
 * @property {boolean | null} inside
 * @property {string | null} settled_at
 */

/**
 * @typedef {object} Accuracy
 * @property {number} mae
 * @property {number} rmse
 * @property {number} r2_score
 * @property {number} log_mae
 * @property {{ mae: number, rmse: number, log_mae: number }} baseline
 * @property {number} samples_trained
 * @property {number} samples_tested
 * @property {number} total_records
 * @property {string} trained_at
 * @property {string | number} version
 * @property {number} duration_ms
 * @property {{ name: string, weight: number, r2_score: number | null }[]} members
 */

/**
 * @typedef {object} Training
 * @property {boolean} running
 * @property {string | null} started_at
 * @property {number | null} records
 * @property {number} progress 0 to 1
 * @property {boolean} queued
 * @property {string | null} last_error
 * @property {{ have: number, need: number } | null} needed
 * @property {number | null} next_at_records
 * @property {{ trained_at: string, records: number, duration_ms: number, mae: number, rmse: number }[]} history
 */

/**
 * @typedef {object} Data
 * @property {{ name: string, records: number, rejected: number }[]} files
 * @property {{ name: string, reason: string, command: string }[]} refused files of which no row is read
 * @property {number} rejected_rows
 * @property {{ reason: string, count: number, example: { file: string, line: number, reason: string } }[]} rejected_by_reason
 * @property {{ file: string, line: number, reason: string }[]} rejected_recent
 * @property {number} torn_bytes
 * @property {number} duplicates_removed
 * @property {string[]} overlaps a sentence for each pair of files that hold the same rounds
 * @property {"notify" | "scan"} watch
 * @property {string | null} [last_error] why the folder could not be read
 */

/**
 * @typedef {object} Collector
 * @property {"starting" | "connected" | "reconnecting" | "stalled" | "stopped" | "writing_failed"} state
 * @property {string} state_since
 * @property {string} source
 * @property {number} gaps
 * @property {number} weak
 * @property {number} resets
 * @property {number} backfilled
 * @property {number} reconnects
 * @property {string | null} last_error
 * @property {number} queued_rows
 * @property {number} age_seconds since the collector last wrote its status
 */

/**
 * @typedef {object} TestEvidence
 * @property {number} e the evidence: what one imaginary euro has become
 * @property {number} e_max the maximum of `e` so far
 * @property {number} amber_at
 * @property {number} anytime_p
 * @property {number | null} alarm_round
 * @property {string} level
 */

/** @typedef {{ value: number, lo: number, hi: number }} Estimate a value with its interval */
/** @typedef {{ name: string } & Record<string, number | string | null | undefined>} ScoreRow */
/** @typedef {{ target: number, from: number, to: number, rounds: number, forecast: number, observed: Estimate }} ReliabilityRow */
/** @typedef {{ shown: Estimate | null }} SkillAgainst percent; positive is better */

/**
 * @typedef {object} Scorecard
 * @property {number} rounds that had a forecast
 * @property {string[]} columns
 * @property {ScoreRow[]} rows over all of them
 * @property {ScoreRow[]} [recent] over the last 500
 * @property {ScoreRow[]} [fading] with weights that decrease with age
 * @property {{ house: SkillAgainst, climatology: SkillAgainst }} [skill]
 * @property {ReliabilityRow[]} [reliability]
 */

/** @typedef {{ returns: { measured: Estimate }[] }} MeasuredLaw the return at each target */

/**
 * @typedef {object} Claim a sentence with its figures, which depend on its kind
 * @property {string} kind
 * @property {Fault} [fault]
 * @property {number} [rounds]
 * @property {number} [needed]
 * @property {number} [per_hundred]
 * @property {number} [forecasts]
 * @property {number} [lo]
 * @property {number} [hi]
 * @property {number} [digits] decimals of lo and hi
 * @property {boolean} [little]
 * @property {boolean} [served]
 * @property {number} [target]
 * @property {number} [chance]
 * @property {number} [stated]
 * @property {number} [at]
 * @property {number} [reached]
 * @property {number} [percent]
 * @property {number} [times]
 * @property {number} [round]
 * @property {number} [one_in]
 */

/** @typedef {{ sentence: string, notes: string, rounds: number, claims: { headline: Claim[], notes: Claim[] } }} Verdict */

/**
 * @typedef {object} History `api/history`: columns of equal length
 * @property {number[]} rounds
 * @property {{ value: (number | null)[], lo: (number | null)[], hi: (number | null)[] }} skill percent
 * @property {(number | null)[]} coverage
 * @property {{ order: number[], law: number[], forecast: number[] }} evidence ln e
 */

/**
 * @typedef {object} Simulation `api/simulation`: equal stakes on one target, on every round of a period
 * @property {number} target
 * @property {number} stake
 * @property {number} rounds
 * @property {number} bets
 * @property {number} won
 * @property {number} net
 * @property {number | null} balance
 * @property {number | null} net_per_100
 * @property {number} expected_per_100
 * @property {{ lo: number, hi: number }} luck
 * @property {number} longest_losing_run
 * @property {number | null} broke_after
 * @property {{ round: number, net: number, lo: number, hi: number }[]} points
 */

/** @typedef {{ multiplier: number, observed: number, lo: number | null, hi: number | null, house: number }} DistributionPoint */

/** @typedef {"start" | "stop" | "gap" | "weak" | "reset" | "reconnect" | "conflict" | "backfill"} EventKind */
/** @typedef {{ kind: EventKind, time: string, source: string, file?: string, detail?: Record<string, unknown> | null }} RecordedEvent */
/** @typedef {{ totals: Record<string, number>, events: RecordedEvent[] }} Recorded `api/recorder` */

/**
 * @typedef {object} Fault
 * @property {string} kind
 * @property {number} [seen]
 * @property {number} [expected]
 * @property {number} [count]
 * @property {number} [of]
 * @property {number} [step_cents]
 * @property {number} [cents]
 */

/**
 * @typedef {object} Status
 * @property {boolean} model_trained
 * @property {Accuracy | null} model_accuracy
 * @property {Prediction | null} current_prediction
 * @property {Settled[]} prediction_history oldest first
 * @property {boolean} auto_train_enabled
 * @property {string | null} csv_file
 * @property {number} csv_records
 * @property {number | null} latest_multiplier
 * @property {string | null} latest_timestamp
 * @property {number | null} data_age_seconds
 * @property {boolean} simulated
 * @property {"recorded" | "replayed" | "simulated"} origin
 * @property {string} data_dir
 * @property {{ auto_sync_active: boolean, model_trained: boolean, auto_training: boolean, data_synced: boolean }} indicators
 * @property {Training} training
 * @property {{ mean: number, std: number, min: number, max: number, median: number } | null} statistics
 * @property {RecentRound[]} recent oldest first
 * @property {Data} data
 * @property {Collector | null} collector
 * @property {Scorecard | null} scorecard
 * @property {{ order?: TestEvidence, law?: TestEvidence, forecast?: TestEvidence, measured?: MeasuredLaw } | null} evidence
 * @property {Verdict | null} verdict
 * @property {{ return: number }} game the parameters by which everything is judged
 * @property {{ state: "sound" | "incomplete" | "suspect", rounds: number, reasons: Fault[] }} quality
 * @property {{ settled: number, late: number, missed: number }} [forecasts] how many were settled, late or missed
 * @property {string} version
 * @property {string} started_at
 * @property {string} now
 */

export {};
