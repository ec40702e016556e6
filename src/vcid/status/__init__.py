"""Whether a credential still holds: status lists and the registry behind them."""
