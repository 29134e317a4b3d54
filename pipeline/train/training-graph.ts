/**
 * Turns a network, written once as a sequence of operators, into two ONNX graphs: one from inputs and
 * parameters to outputs, one from the outputs' gradients back to the gradients of parameters and inputs.
 * The loss stands between the two, in plain code. Operators themselves are in operators.ts.
 *
 * What the backward graph needs of the forward one is either saved (results of matrix products) or computed
 * again (elementwise results, which cost less to compute than to keep): each operator says which.
 */

import { type Dimension, GraphBuilder } from '../model/onnx.ts';

export type Precision = 'float32' | 'float64';

/** Something computed in the forward graph, and obtainable in the backward one. */
export interface Value {
  /** Its name in the forward graph. */
  readonly name: string;
  readonly dims: readonly Dimension[];
  /** Its name in the backward graph; asking for it there is what makes it saved or computed again. */
  again(): string;
}

/** One step of a network. */
export interface Operator {
  /** Adds the operator's nodes to a graph and returns the result's name. */
  compute(graph: GraphBuilder, inputs: readonly string[]): string;
  /** Whether the backward graph computes the result again rather than having it handed over. */
  cheap: boolean;
  /**
   * Adds the nodes of the gradient to the backward graph.
   *
   * @param output Gradient of the loss with respect to the operator's result.
   * @returns One name per input, or null for an input without a gradient (indices, dropout masks).
   */
  gradient(graph: GraphBuilder, output: string): (string | null)[];
}

interface Step {
  operator: Operator;
  inputs: readonly Value[];
  result: Value;
}

/** Both graphs and the names by which they are fed. */
export interface TrainingGraphs {
  forward: Uint8Array;
  backward: Uint8Array;
  /** Outputs of the forward graph that are inputs of the backward one, under the same name. */
  saved: string[];
  /** Inputs and parameters that the backward graph is fed too, under the same name. */
  shared: string[];
}

/** Name under which the backward graph takes or gives the gradient of a value. */
export const gradientName = (name: string): string => `gradient of ${name}`;

export class TrainingGraph {
  readonly precision: Precision;
  readonly #forward: GraphBuilder;
  readonly #backward: GraphBuilder;
  readonly #steps: Step[] = [];
  readonly #saved = new Set<string>();
  readonly #shared = new Set<string>();

  constructor(name: string, precision: Precision) {
    this.precision = precision;
    this.#forward = new GraphBuilder(name);
    this.#backward = new GraphBuilder(`${name} backward`);
  }

  /** A fed tensor: data, a dropout mask or a parameter, real-valued unless said. */
  input(name: string, dims: readonly Dimension[], type: Precision | 'int32' = this.precision): Value {
    this.#forward.input(name, type, dims);
    return {
      name,
      dims,
      again: () => {
        if (!this.#shared.has(name)) {
          this.#backward.input(name, type, dims);
          this.#shared.add(name);
        }
        return name;
      },
    };
  }

  /** Applies an operator. */
  apply(operator: Operator, inputs: readonly Value[], dims: readonly Dimension[]): Value {
    const name = operator.compute(
      this.#forward,
      inputs.map((input) => input.name),
    );
    let inBackward: string | undefined;
    const again = (): string => {
      if (inBackward !== undefined) return inBackward;
      if (operator.cheap) {
        inBackward = operator.compute(
          this.#backward,
          inputs.map((input) => input.again()),
        );
      } else {
        inBackward = `saved ${name}`;
        this.#forward.output(name, this.precision, dims, inBackward);
        this.#backward.input(inBackward, this.precision, dims);
        this.#saved.add(inBackward);
      }
      return inBackward;
    };
    const result = { name, dims, again };
    this.#steps.push({ operator, inputs, result });
    return result;
  }

  /**
   * Closes the network.
   *
   * @param outputs Results by the name they are given; the backward graph is fed gradientName(name) for each.
   * @param wanted Inputs whose gradients the backward graph gives out, as gradientName(input.name).
   */
  finish(outputs: Readonly<Record<string, Value>>, wanted: readonly Value[]): TrainingGraphs {
    const gradients = new Map<Value, string[]>();
    const contribute = (value: Value, gradient: string) => {
      gradients.set(value, [...(gradients.get(value) ?? []), gradient]);
    };
    for (const [name, value] of Object.entries(outputs)) {
      this.#forward.output(value.name, this.precision, value.dims, name);
      contribute(value, this.#backward.input(gradientName(name), this.precision, value.dims));
    }
    const needed = this.#needing(wanted);
    for (const step of this.#steps.toReversed()) {
      const parts = gradients.get(step.result);
      if (parts === undefined || !needed.has(step.result)) continue;
      const found = step.operator.gradient(this.#backward, this.#sum(parts));
      step.inputs.forEach((input, i) => {
        const gradient = found[i];
        if (gradient !== null && needed.has(input)) contribute(input, gradient);
      });
    }
    for (const value of wanted) {
      const parts = gradients.get(value);
      if (parts === undefined) throw new Error(`training graph: no output depends on "${value.name}".`);
      this.#backward.output(this.#sum(parts), this.precision, value.dims, gradientName(value.name));
    }
    return {
      forward: this.#forward.encode(),
      backward: this.#backward.encode(),
      saved: [...this.#saved],
      shared: [...this.#shared],
    };
  }

  /** The wanted values and everything computed from them: gradients elsewhere would be thrown away. */
  #needing(wanted: readonly Value[]): Set<Value> {
    const needed = new Set<Value>(wanted);
    for (const step of this.#steps) {
      if (step.inputs.some((input) => needed.has(input))) needed.add(step.result);
    }
    return needed;
  }

  #sum(parts: readonly string[]): string {
    return parts.length === 1 ? parts[0] : this.#backward.node('Sum', parts);
  }
}
