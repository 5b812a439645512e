import {
  type AttributeBag,
  compileSyntax,
  dottedName,
  parseSyntax,
  type Syntax,
  type Value,
  type Vocabulary,
} from '@seine/mixer';
import { always } from './formula.js';
import { attributeTerm, attributeTruth, constantOf, type ProxyView } from './proxy-view.js';
import { compare, type Comparison, firstOf, guard, isKnown, type Term } from './term.js';
import {
  both,
  choice,
  conjunction,
  constantTruth,
  disjunction,
  firstKnown,
  isExact,
  negate,
  neither,
  settled,
  type Truth,
  unknownTruth,
} from './truth.js';

type Call = Extract<Syntax, { kind: 'call' }>;

/** What a proxy can say of a condition. @param text one that compiles against the view's vocabulary */
export function translateCondition(text: string, view: ProxyView): Truth {
  return new Translator(view).condition(parseSyntax(text));
}

/** The values that an expression may have. @param text likewise */
export function translateValue(text: string, view: ProxyView): Term {
  return new Translator(view).term(parseSyntax(text));
}

/** Attributes by their names, however they are written: `source.labels` of `source.labels["app"]`. */
export function attributesRead(text: string, vocabulary: Vocabulary): readonly string[] {
  return namesOf(compileSyntax(parseSyntax(text), text, vocabulary).reads);
}

export function namesOf(reads: readonly string[]): readonly string[] {
  return reads.map((read) => /^[^[]*/.exec(read)?.[0] ?? read);
}

class Translator {
  readonly #bag: AttributeBag;

  constructor(private readonly view: ProxyView) {
    this.#bag = { get: (name) => constantOf(view, name)?.value };
  }

  condition(syntax: Syntax): Truth {
    const folded = this.#fold(syntax);
    if (folded) return constantTruth(folded.value === undefined ? undefined : folded.value === true);
    if (syntax.kind === 'call') return this.#call(syntax);
    const name = dottedName(syntax);
    const known = name === undefined ? undefined : attributeTruth(this.view, name);
    return known ?? unknownTruth(this.#whyOf(this.term(syntax), syntax));
  }

  term(syntax: Syntax): Term {
    const folded = this.#fold(syntax);
    if (folded) {
      const { value } = folded;
      return value === undefined ? [] : [{ when: always, value: { kind: 'literal', value } }];
    }
    switch (syntax.kind) {
      case 'name':
      case 'select':
      case 'index':
        return this.#attribute(syntax);
      case 'call':
        return this.#valueOfCall(syntax);
      default:
        return this.#opaque('a list is nothing that a proxy compares');
    }
  }

  /** Its value where that is the same for all requests: mixer's own evaluation of it, made now. */
  #fold(syntax: Syntax): { readonly value: Value | undefined } | undefined {
    if (syntax.kind === 'list') return undefined;
    const { reads, evaluate } = compileSyntax(syntax, '', this.view.vocabulary);
    return namesOf(reads).every((name) => constantOf(this.view, name)) ? { value: evaluate(this.#bag) } : undefined;
  }

  #call(syntax: Call): Truth {
    const [first, second, third] = operandsOf(syntax);
    if (first && syntax.name === '!') return negate(this.condition(first));
    if (first && syntax.name === 'has') return isKnown(this.term(first));
    if (first && second && third && syntax.name === 'conditional')
      return choice(this.condition(first), this.condition(second), this.condition(third));
    const known = first && second && this.#ofTwo(syntax.name, first, second);
    return known ?? unknownTruth(`${syntax.name} is nothing that Envoy's RBAC can do as mixer does`);
  }

  #ofTwo(name: string, first: Syntax, second: Syntax): Truth | undefined {
    switch (name) {
      case '&&':
        return conjunction(this.condition(first), this.condition(second));
      case '||':
        return disjunction(this.condition(first), this.condition(second));
      case '|':
        return firstKnown(this.condition(first), this.condition(second));
      case '==':
        return this.#equal(first, second);
      case '!=':
        return negate(this.#equal(first, second));
      case 'in':
        return this.#in(first, second);
      case 'match':
        return this.#match(first, second);
      case 'startsWith':
      case 'endsWith':
      case 'contains':
        return compare(this.term(first), this.term(second), name);
      default:
        return undefined;
    }
  }

  #equal(first: Syntax, second: Syntax): Truth {
    if (!this.#isBool(first)) return compare(this.term(first), this.term(second), 'is');
    const [a, b] = [this.condition(first), this.condition(second)];
    return choice(a, b, negate(b));
  }

  #in(item: Syntax, list: Syntax): Truth {
    if (list.kind !== 'list') return this.#hasEntry(item, list);
    const value = this.term(item);
    // As mixer has it: only what is looked for must have a value.
    const any = list.items.map((one) => compare(value, this.term(one), 'is')).reduce(disjunction, constantTruth(false));
    const known = isKnown(value);
    return settled(any.holds, both(known.holds, neither(any.holds)), any, known);
  }

  /** Whether a map has an entry of a name that is known. */
  #hasEntry(item: Syntax, map: Syntax): Truth {
    const key = this.#fold(item)?.value;
    if (typeof key !== 'string') return unknownTruth(`which entry is looked for only mixer knows`);
    const entry: Syntax = {
      kind: 'index',
      of: map,
      key: { kind: 'literal', type: 'STRING', value: key, offset: 0 },
      offset: 0,
    };
    return isKnown(this.term(entry));
  }

  /** `abc`, `abc*` or `*abc`, as mixer's match() reads them. */
  #match(text: Syntax, pattern: Syntax): Truth {
    const glob = this.#fold(pattern)?.value;
    if (typeof glob !== 'string')
      return unknownTruth('a pattern that differs from request to request is read by mixer');
    const [how, value]: [Comparison, string] = glob.endsWith('*')
      ? ['startsWith', glob.slice(0, -1)]
      : glob.startsWith('*')
        ? ['endsWith', glob.slice(1)]
        : ['is', glob];
    return compare(this.term(text), [{ when: always, value: { kind: 'literal', value } }], how);
  }

  #attribute(syntax: Exclude<Syntax, { kind: 'call' | 'list' | 'literal' }>): Term {
    const { vocabulary } = this.view;
    const name = dottedName(syntax);
    if (name !== undefined && vocabulary.has(name)) return attributeTerm(this.view, name);
    if (syntax.kind === 'name') return this.#opaque(`${syntax.name} is known to mixer alone`);
    const map = dottedName(syntax.of);
    const key = syntax.kind === 'select' ? syntax.field : this.#fold(syntax.key)?.value;
    if (map === undefined || typeof key !== 'string') return this.#opaque('which entry is meant only mixer knows');
    return attributeTerm(this.view, map, key);
  }

  #valueOfCall(syntax: Call): Term {
    const [first, second, third] = operandsOf(syntax);
    if (syntax.name === '|' && first && second) return firstOf(this.term(first), this.term(second));
    // conditionalString() has no value where one of its arguments has none: mixer sees to that.
    if (syntax.name !== 'conditional' || !first || !second || !third)
      return this.#opaque(`${syntax.name} is nothing that Envoy's RBAC can do as mixer does`);
    const { holds, fails, unknown } = this.condition(first);
    if (!isExact(holds) || !isExact(fails)) return this.#opaque(unknown.join(', '));
    return [...guard(holds.least, this.term(second)), ...guard(fails.least, this.term(third))];
  }

  #isBool(syntax: Syntax): boolean {
    return syntax.kind !== 'list' && compileSyntax(syntax, '', this.view.vocabulary).type === 'BOOL';
  }

  #opaque(why: string): Term {
    return [{ when: always, value: { kind: 'opaque', why } }];
  }

  #whyOf(term: Term, syntax: Syntax): string {
    const opaque = term.find(({ value }) => value.kind === 'opaque')?.value;
    return opaque?.kind === 'opaque' ? opaque.why : `${dottedName(syntax) ?? 'this'} is known to mixer alone`;
  }
}

function operandsOf({ receiver, arguments: given }: Call): readonly Syntax[] {
  return [...(receiver ? [receiver] : []), ...given];
}
