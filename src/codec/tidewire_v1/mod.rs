//! `tidewire.v1`: many HTTP exchanges on one WebSocket. The grammar is in `docs/tidewire-v1.md`.
