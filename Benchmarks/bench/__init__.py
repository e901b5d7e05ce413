"""Measures uproxy beside other proxies; `scripts/bench --help` tells how."""
