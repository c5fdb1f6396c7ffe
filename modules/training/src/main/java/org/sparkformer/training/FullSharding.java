package org.sparkformer.training;

import java.util.List;
import java.util.stream.IntStream;
import org.sparkformer.collective.Collective;
import org.sparkformer.collective.SummationTree;
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
 * <p>In round j the ranks compute neighbouring micro-batches, rank r that with the number {@code j
 * ranks + r}: their sum is a node of the summation tree, and the rounds' sums make up the rest of
 * it, so that a rank never keeps more of a sum than its slices.
 */
final class FullSharding implements Sharding, ParameterStore {
  private final Backend backend;
  private final ModelState state;
  private final Units units;
  private final List<Integer> leaves;
  private final GatheredWeights weights;
  private final GradientShards gradients;
  private final StepTotals totals;
  private final LanguageModel model;
  private Tensor sum;

  FullSharding(
      Rank rank, ModelConfiguration configuration, ModelState state, Communication communication) {
    int ranks = rank.collective().size();
    SummationTree rounds = rounds(rank.collective());
    this.backend = rank.backend();
    this.state = state;
    this.units = rank.units(state.layout());
    this.leaves =
        IntStream.range(0, rounds.leaves())
            .map(round -> round * ranks + rank.collective().rank())
            .boxed()
            .toList();
    BucketTraffic gathering = new BucketTraffic(rank, gathering(rank, units), communication);
    BucketTraffic reducing = new BucketTraffic(rank, reducing(rank, units), communication);
    this.weights = new GatheredWeights(backend, state, units, gathering);
    this.gradients = new GradientShards(backend, units, state.slices(), reducing, rounds);
    this.totals = new StepTotals(rank, units.buckets(), communication);
    this.model = configuration.bind(this);
  }

  /** A leaf for each micro-batch of a rank. */
  private static SummationTree rounds(Collective collective) {
    return new SummationTree(collective.tree().leaves() / collective.size());
  }

  private static BucketTraffic.Route reducing(Rank rank, Units units) {
    return BucketTraffic.Route.of(units.buckets(), new SummationTree(rank.collective().size()));
  }

  /** With room for a whole block, which waits there for its turn. */
  private static BucketTraffic.Route gathering(Rank rank, Units units) {
    SummationTree tree = new SummationTree(rank.collective().size());
    return new BucketTraffic.Route(units.buckets(), tree, units.mostBuckets());
  }

  /** Bytes of host memory that buckets between the ranks take. */
  static long hostBytes(Rank rank, Units units) {
    Collective collective = rank.collective();
    return reducing(rank, units).hostBytes(collective)
        + gathering(rank, units).hostBytes(collective);
  }

  /** Gradient vectors of the own slices that are alive at once. */
  static int sums(Collective collective) {
    SummationTree rounds = rounds(collective);
    return rounds.buffersNeeded(rounds.root());
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

  @Override
  public void sum(Tensor squaredNorm) {
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
    weights.beginPass();
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
  }
}
