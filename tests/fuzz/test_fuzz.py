"""90 inputs of any kind; ``make fuzz`` runs 10,000."""

from hypothesis import HealthCheck, given, settings

from .inputs import Case, cases
from .promises import check


@settings(max_examples=90, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_any_input_is_resampled_right_or_refused_in_a_sentence(case: Case):
    check(case)
