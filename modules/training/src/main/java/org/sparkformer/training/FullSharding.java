package org.sparkformer.training;

import java.util.List;
import org.sparkformer.models.LanguageModel;
import org.sparkformer.models.ModelConfiguration;
import org.sparkformer.models.ParameterLayout.Parameter;
import org.sparkformer.models.ParameterSink;
import org.sparkformer.models.ParameterStore;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.autograd.Variable;
import org.sparkformer.tensor.ops.AdamW;

/**
 * Every rank has its share of weights, gradients and the optimizer's state (ZeRO-3; Zhao et al.,
 * arXiv:2304.11277, full sharding), and the whole of one block at a time while a pass goes through
 * it.
 *
 * <p>The ranks go through a step in {@link Rounds} of a micro-batch each, whose gradients are added
 * up between the ranks at once, so that a rank never keeps more of a sum than its slices.
 */
final class FullSharding implements Sharding, ParameterStore {
  private final Backend backend;
  private final ModelState state;
  private final Units units;
  private final Rounds rounds;
  private final List<Integer> leaves;
  private final BucketTraffic gathering;
  private final BucketTraffic reducing;
  private final GatheredWeights weights;
  private final GradientShards gradients;
  private final StepTotals totals;
  private final LanguageModel model;
  private Tensor sum;

  FullSharding(
      Rank rank, ModelConfiguration configuration, ModelState state, Communication communication) {
    this.backend = rank.backend();
    this.state = state;
    this.units = rank.units(state.layout());
    this.rounds = Rounds.of(rank.collective());
    this.leaves = rounds.leaves(rank.collective().rank());
    this.gathering = new BucketTraffic(rank, gathering(units), communication);
    this.reducing = new BucketTraffic(rank, reducing(rounds, units), communication);
    this.weights = new GatheredWeights(backend, state, units, gathering);
    this.gradients = new GradientShards(backend, units, state.slices(), reducing, rounds);
    this.totals = new StepTotals(rank, units.buckets(), communication);
    this.model = configuration.bind(this);
  }

  private static BucketTraffic.Route reducing(Rounds rounds, Units units) {
    return BucketTraffic.Route.of(units.buckets(), 1, rounds.mostSums());
  }

  /** With room for a whole block, which waits there for its turn. */
  private static BucketTraffic.Route gathering(Units units) {
    return new BucketTraffic.Route(units.buckets(), 1, 1, units.mostBuckets());
  }

  /** Bytes of host memory that buckets between the ranks take. */
  static long hostBytes(Rank rank, Units units) {
    int number = rank.collective().rank();
    return reducing(Rounds.of(rank.collective()), units).hostBytes(number)
        + gathering(units).hostBytes(number);
  }

  @Override
  public Variable variable(Parameter parameter) {
    return Variable.parameter(weights.of(parameter), gradients.of(parameter));
  }

  @Override
  public void enter(int layer) {
    weights.enter(layer, layer + 1);
  }

  @Override
  public List<Integer> leaves() {
    return leaves;
  }

  @Override
  public Pass begin(int index) {
    weights.beginPass();
    gradients.beginPass();
    return new Pass(model, gradients.loss(), this::reached);
  }

  @Override
  public Pass rehearse() {
    throw new UnsupportedOperationException("gradients leave layer by layer");
  }

  @Override
  public String gradientsDigest() {
    throw new UnsupportedOperationException("gradients leave layer by layer");
  }

  private void reached(int mark) {
    if (mark == units.layers()) {
      gradients.collect();
    } else {
      gradients.leave(mark);
    }
    if (mark > 0) {
      weights.enter(mark - 1, mark - 2);
      gradients.enter(mark - 1);
    }
  }

  @Override
  public void end() {
    gradients.endPass();
  }

  /** The last round, without a micro-batch: the others need this rank's slices all the same. */
  private void accompany() {
    weights.beginPass();
    gradients.beginPass();
    for (int layer = 0; layer < units.layers(); layer++) {
      enter(layer);
    }
    for (int mark = units.layers(); mark >= 0; mark--) {
      reached(mark);
    }
    gradients.endPass();
  }

  @Override
  public void sum(Tensor squaredNorm) {
    if (leaves.size() < rounds.count()) {
      accompany();
    }
    gradients.collect();
    sum = gradients.sum();
    for (int index = 0; index < state.slices().size(); index++) {
      totals.add(index, slice -> slice.ofOwn(sum));
    }
    totals.finish(squaredNorm, gradients.ownLoss());
  }

  @Override
  public void update(Tensor squaredNorm, AdamW.Settings settings) {
    for (Slice slice : state.slices()) {
      if (slice.holdsParameters()) {
        state.update(backend, slice, slice.ofOwn(sum), squaredNorm, settings);
      }
    }
    gradients.release(sum);
    weights.invalidate();
  }

  @Override
  public void collect() {
    // A pass gathers what it needs, and nothing beyond that.
  }

  @Override
  public void leave() {
    gradients.release(sum);
  }

  @Override
  public double loss() {
    return totals.loss(null);
  }

  @Override
  public LanguageModel forwardOnly() {
    weights.beginPass();
    return model;
  }

  @Override
  public void read(ParameterSink sink) {
    weights.read(sink);
  }

  @Override
  public void help() {
    weights.read((first, floats) -> {});
  }

  @Override
  public void close() {
    weights.close();
    gradients.close();
    totals.close();
    gathering.close();
    reducing.close();
  }
}
