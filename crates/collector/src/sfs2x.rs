//! The binary messages of SmartFoxServer 2X.
