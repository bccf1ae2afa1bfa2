"""Plain torch loops: the same networks, batches, optimiser, losses and penalties as skgan's nets train."""

import time

import torch
from shared import seeded
from torch.func import functional_call
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, l1_loss

from skgan._image_statistics import augmentation_for
from skgan.augment import apply_all
from skgan.modules.classifiers import ARCHITECTURES
from skgan.nets import CycleGANNet, GenClassNet, GTNNet, OffspringNet, VAEGANNet, VAENet
from skgan.penalties import remembering


def unit_range(rows: torch.Tensor) -> torch.Tensor:
    """uint8 images become float32 in [-1, 1]."""
    return rows.float() * (2 / 255) - 1 if rows.dtype == torch.uint8 else rows


def bare_loop(net, X, y, n_steps: int) -> float:
    """Seconds of n_steps of what the net would do."""
    X, y = torch.as_tensor(X), torch.as_tensor(y)
    with seeded(0):
        attributes = {"attributes": net.attributes} if isinstance(net, GenClassNet) else {}
        module = net.module(tuple(X.shape[1:]), int(y.max()) + 1, **net.get_params_for("module"), **attributes)
        if isinstance(net, VAENet):
            return bare_vae(net, module, X, y, n_steps)
        if isinstance(net, CycleGANNet):
            return bare_cyclegan(net, module, X, y, n_steps)
        if isinstance(net, GTNNet):
            return bare_gtn(net, module, X, y, n_steps)
        loss = net.criterion(**net.get_params_for("criterion"))
        betas = net.optimizer__betas
        optimizers = [
            torch.optim.Adam(player.parameters(), lr=net.lr, betas=betas, fused=True)
            for player in (module.discriminator, module.generator)
        ]
        begin = time.perf_counter()
        for step in range(n_steps):
            for update in range(step * net.n_critic, (step + 1) * net.n_critic):
                chosen = torch.randint(len(X), (net.batch_size,))
                real, labels = unit_range(X[chosen]), y[chosen]
                # Which rows are paired costs nothing here, and little in the net, whose parents are of the row's class
                parents = [real.flip(0)] if isinstance(net, OffspringNet) else []
                with torch.set_grad_enabled(net.reuse_fakes):
                    made = bare_fakes(net, module, real, labels, parents)
                fake = made.detach()

                def critic(x, labels=labels, parents=parents):
                    return module.discriminator(x, labels, *parents)

                due = [penalty for penalty in net.penalties if update % penalty.every == 0]
                for x in (real, fake) if due else ():
                    x.requires_grad_()
                seen = (real, critic(real)), (fake, critic(fake))
                d_loss = loss.discriminator(*(logits for _, logits in seen))
                for penalty in due:
                    d_loss = d_loss + penalty.every * penalty(remembering(critic, *seen), real, fake)
                optimizers[0].zero_grad(set_to_none=True)
                d_loss.backward(inputs=list(module.discriminator.parameters()))
                optimizers[0].step()
            fake = made if net.reuse_fakes else bare_fakes(net, module, real, labels, parents)
            g_loss = loss.generator(critic(real) if loss.uses_real else None, critic(fake))
            players = list(module.generator.parameters())
            if isinstance(net, VAEGANNet):
                players += module.encoder.parameters()
                mean, log_variance, z = bare_codes(module, real, labels)
                with torch.no_grad():
                    hidden = module.discriminator.hidden(real, labels)
                difference = module.discriminator.hidden(module(z, labels), labels) - hidden
                g_loss = g_loss + 0.5 * difference.square().sum(1).mean() + 0.1 * bare_kl(mean, log_variance)
            if isinstance(net, GenClassNet):
                players += module.similarity.parameters()
                g_loss = g_loss + bare_similarity(module.similarity, real, fake, labels)
            optimizers[1].zero_grad(set_to_none=True)
            g_loss.backward(inputs=players)
            optimizers[1].step()
        return time.perf_counter() - begin


def bare_classifier(classifier, X, y, n_updates: int) -> float:
    """Seconds of n_updates of what a CNNClassifier would do."""
    X, y = torch.as_tensor(X), torch.as_tensor(y)
    transforms = augmentation_for(X.numpy(), y.numpy())
    with seeded(0):
        module = ARCHITECTURES[classifier.architecture][0](tuple(X.shape[1:]), int(y.max()) + 1)
        module.to(memory_format=torch.channels_last)
        optimizer = torch.optim.Adam(module.parameters(), lr=classifier.lr, fused=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, classifier.lr, total_steps=n_updates)
        begin = time.perf_counter()
        for _ in range(n_updates):
            chosen = torch.randint(len(X), (classifier.batch_size,))
            loss = cross_entropy(module(apply_all(transforms, unit_range(X[chosen]))), y[chosen])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
        return time.perf_counter() - begin


def bare_fakes(net, module, real, labels, parents):
    z = torch.randn(len(labels), module.latent_dim)
    if isinstance(net, VAEGANNet):  # half of them reconstructions
        half = len(z) // 2
        with torch.no_grad():
            z = torch.cat([z[:half], bare_codes(module, real[half:], labels[half:])[2]])
    return module(z, labels, *parents)


def bare_similarity(network, real, fake, labels):
    same = (labels[:, None] == labels[None]).float()
    of_real, of_fake, loss = network.embed(real), network.embed(fake), 0
    pairs = ((network(of_real, of_fake), torch.ones_like(same)), (network(of_real, of_real), 1 - torch.eye(len(same))))
    for logits, counted in pairs:
        each = binary_cross_entropy_with_logits(logits, same, reduction="none") * counted
        for side in (same * counted, (1 - same) * counted):
            loss = loss + (each * side).sum() / side.sum().clamp(min=1) / 4
    return loss


def bare_cyclegan(net, module, X, y, n_steps: int) -> float:
    """As ``bare_loop``: both translators with cycle and identity losses, then both judges."""
    optimizers = [
        torch.optim.Adam(player.parameters(), lr=net.lr, betas=net.optimizer__betas, fused=True)
        for player in (module.generator, module.discriminator)
    ]
    loss, generator, judge = net.criterion(), module.generator, module.discriminator
    begin = time.perf_counter()
    for _ in range(n_steps):
        chosen = torch.randint(len(X), (2, net.batch_size))
        (real, parent), labels = unit_range(X[chosen]), y[chosen[0]]
        g_loss, made = 0, []
        for given, wanted, way, other in ((parent, real, "there", "back"), (real, parent, "back", "there")):
            fake = generator(given, labels, way)
            g_loss = g_loss + loss.generator(None, judge(fake, labels, way))
            g_loss = g_loss + net.cycle_weight * l1_loss(generator(fake, labels, other), given)
            g_loss = g_loss + net.identity_weight * l1_loss(generator(wanted, labels, way), wanted)
            made.append((fake.detach(), wanted, way))
        optimizers[0].zero_grad(set_to_none=True)
        g_loss.backward(inputs=list(generator.parameters()))
        optimizers[0].step()
        d_loss = 0
        for fake, wanted, way in made:
            d_loss = d_loss + 0.5 * loss.discriminator(judge(wanted, labels, way), judge(fake, labels, way))
        optimizers[1].zero_grad(set_to_none=True)
        d_loss.backward(inputs=list(judge.parameters()))
        optimizers[1].step()
    return time.perf_counter() - begin


def bare_gtn(net, module, X, y, n_steps: int) -> float:
    """As ``bare_loop``: the learner's steps with a graph, and one backward pass through all of them."""
    optimizer = torch.optim.Adam(module.parameters(), lr=net.lr, fused=True)
    loss = net.criterion()
    begin = time.perf_counter()
    for _ in range(n_steps):
        chosen = torch.randint(len(X), (net.batch_size,))
        learner = net.learner(tuple(X.shape[1:]), int(y.max()) + 1)
        weights = dict(learner.named_parameters())
        velocity = [torch.zeros_like(w) for w in weights.values()]
        made, (rate, momentum) = module(module.codes.flatten(0, 1), module.labels.flatten()), module.step_sizes()
        for batch, labels in zip(made.split(net.inner_batch_size), module.labels, strict=True):
            inner = loss(functional_call(learner, weights, (batch,)), labels)
            gradient = torch.autograd.grad(inner, weights.values(), create_graph=True)
            velocity = [momentum * v + g for v, g in zip(velocity, gradient, strict=True)]
            weights = {name: w - rate * v for (name, w), v in zip(weights.items(), velocity, strict=True)}
        optimizer.zero_grad(set_to_none=True)
        outer = loss(functional_call(learner, weights, (X[chosen],)), y[chosen])
        outer.backward(inputs=list(module.parameters()))
        torch.nn.utils.clip_grad_norm_(module.parameters(), net.max_grad_norm)
        optimizer.step()
    return time.perf_counter() - begin


def bare_codes(module, real, labels):
    mean, log_variance = module.encoder(real, labels)
    return mean, log_variance, mean + torch.randn_like(mean) * (0.5 * log_variance).exp()


def bare_kl(mean, log_variance):
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()


def bare_vae(net, module, X, y, n_steps: int) -> float:
    """As ``bare_loop``, for the evidence lower bound of Bernoulli images."""
    optimizer = torch.optim.Adam(module.parameters(), lr=net.lr, fused=True)
    begin = time.perf_counter()
    for _ in range(n_steps):
        chosen = torch.randint(len(X), (net.batch_size,))
        real, labels = unit_range(X[chosen]), y[chosen]
        mean, log_variance, z = bare_codes(module, real, labels)
        bound = module.log_likelihood(real, z, labels, "bernoulli").mean() - bare_kl(mean, log_variance)
        optimizer.zero_grad(set_to_none=True)
        (-bound).backward()
        optimizer.step()
    return time.perf_counter() - begin
