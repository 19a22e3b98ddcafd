"""Payment providers behind one small interface (`provider.py`); which of them there are is settled in `registry.py`."""
