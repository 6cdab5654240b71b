module github.com/tidewire/tidewire/benches/wan

go 1.25.0
