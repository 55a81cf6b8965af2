//! What the tests and the benchmark share: real programs on private folders and ports.
