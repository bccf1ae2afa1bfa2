import math

import pytest
import torch

from skgan.modules import SmallLearner, Teacher


def make(shape=(4,), n_classes=2, **params):
    course = {"unroll_steps": 3, "inner_batch_size": 6, "curriculum": "learned", "inner_lr": 0.2, "inner_momentum": 0.5}
    return Teacher(shape, n_classes, **{"alpha": 1, "latent_dim": 5, **course, **params})


def test_the_course_is_the_nets_to_say():
    with pytest.raises(TypeError, match="unroll_steps"):
        Teacher((4,), 2)


@pytest.mark.parametrize("shape", [(7,), (1, 8, 8), (3, 50, 50), (1, 64, 64), (2, 17, 40), (1, 1, 1)], ids=str)
def test_teacher_and_learner_take_rows_and_images_of_any_size(shape):
    teacher = make(shape, 3, width=4, unroll_steps=4, inner_batch_size=5)
    rows, labels = teacher.batches(1, 3)
    assert rows.shape == (2, 5, *shape)
    assert labels.tolist() == [[2, 0, 1, 2, 0], [1, 2, 0, 1, 2]]
    assert SmallLearner(shape, 3, width=4)(rows[0]).shape == (5, 3)


def test_rows_of_a_batch_belong_to_the_batchs_own_codes():
    teacher = make()
    rows, labels = teacher.batches(0, 3)
    torch.testing.assert_close(rows[2], teacher(teacher.codes[2], labels[2]))
    (gradient,) = torch.autograd.grad(rows[1].sum(), teacher.codes)
    assert [bool(part.any()) for part in gradient] == [False, True, False]


def test_random_codes_are_new_every_time_and_no_parameters():
    teacher = make(curriculum="random")
    assert "codes" not in dict(teacher.named_parameters())
    assert not torch.equal(teacher.batches(0, 1)[0], teacher.batches(0, 1)[0])


def test_step_sizes_are_what_was_set_and_stay_in_their_range():
    teacher = make(inner_lr=0.03, inner_momentum=0.8)
    assert [float(size.detach()) for size in teacher.step_sizes()] == pytest.approx([0.03, 0.8])
    with torch.no_grad():
        teacher.log_lr -= 20
        teacher.logit_momentum += 20
    rate, momentum = (float(size.detach()) for size in teacher.step_sizes())
    assert rate > 0
    assert 0.9 < momentum <= 1
    assert not math.isnan(momentum)
