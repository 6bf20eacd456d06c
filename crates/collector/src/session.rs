//! The one loop: connect, listen, ledger, writer.
