//! `status.json`, how the collector is, beside the CSVs.
