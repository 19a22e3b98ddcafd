"""Cash-out: diamonds become money, once.

`requesting.py` takes a request and reserves its diamonds; `driving.py` takes it from state to state, as `states.py`
allows; `provider.py` says what somebody who pays must be able to do, and `sandbox.py` is one that moves no money.
"""
