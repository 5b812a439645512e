import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  JwtRequirementSchema,
  RequirementRuleSchema,
} from '@seine/envoy/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
import type { JWTRule, RequestAuthentication } from '@seine/istio';
import { requiredTokens } from './required-tokens.js';

type RequirementInit = MessageInitShape<typeof JwtRequirementSchema>;
type RuleInit = MessageInitShape<typeof RequirementRuleSchema>;

const mayBeMissing: RequirementInit = { requiresType: { case: 'allowMissing', value: {} } };

function allOf(requirements: readonly RequirementInit[]): RequirementInit {
  return { requiresType: { case: 'requiresAll', value: { requirements: [...requirements] } } };
}

function anyOf(requirements: readonly RequirementInit[]): RequirementInit {
  return { requiresType: { case: 'requiresAny', value: { requirements: [...requirements] } } };
}

function provider(value: string): RequirementInit {
  return { requiresType: { case: 'providerName', value } };
}

/** The only one, or what joins several. */
function oneOf(
  requirements: readonly RequirementInit[],
  join: (requirements: readonly RequirementInit[]) => RequirementInit,
): RequirementInit {
  const [only] = requirements;
  return only && requirements.length === 1 ? only : join(requirements);
}

/**
 * A token of one of the providers, or none at all; a bad one is refused. With several "none" is asked of each by itself:
 * `allow_missing` alone looks for tokens everywhere, and one good token would be refused for not being in the other
 * provider's place (Istio, convertToEnvoyJwtConfig).
 */
function oneOrNone(names: readonly string[]): RequirementInit {
  const provided = names.map(provider);
  if (provided.length === 1) return anyOf([...provided, mayBeMissing]);
  return anyOf([...provided, allOf(provided.map((one) => anyOf([one, mayBeMissing])))]);
}

/** Where a rule's tokens may be: `header authorization`. */
function placesOf({ fromHeaders = [], fromParams = [], fromCookies = [] }: JWTRule): readonly string[] {
  const places = [
    ...fromHeaders.map(({ name }) => `header ${name.toLowerCase()}`),
    ...fromParams.map((name) => `parameter ${name}`),
    ...fromCookies.map((name) => `cookie ${name}`),
  ];
  return places.length > 0 ? places : ['header authorization', 'parameter access_token'];
}

/** Providers by the places where their tokens may be: those that share one, also through others, are together. */
function bySharedPlaces(rules: readonly JWTRule[]): readonly (readonly number[])[] {
  let groups: { readonly places: ReadonlySet<string>; readonly members: readonly number[] }[] = [];
  rules.forEach((rule, index) => {
    const places = placesOf(rule);
    const shared = groups.filter((group) => places.some((place) => group.places.has(place)));
    const merged = {
      places: new Set([...places, ...shared.flatMap((group) => [...group.places])]),
      members: [...shared.flatMap(({ members }) => members), index],
    };
    groups = [...groups.filter((group) => !shared.includes(group)), merged];
  });
  return groups.map(({ members }) => members);
}

/**
 * What is asked of requests, the first match counts: as a rule, in each place that holds a token a good one. Were it
 * enough that one of several is, as in Istio, a bad token would pass beside a good one.
 * @param rules those of `policies`, in the order of the providers
 * @param nameOf of the provider of a rule, by its index
 */
export function tokenRequirements(
  rules: readonly JWTRule[],
  nameOf: (index: number) => string,
  policies: readonly RequestAuthentication[],
): RuleInit[] {
  const rule = (match: RuleInit['match'], value: RequirementInit): RuleInit => ({
    match,
    requirementType: { case: 'requires', value },
  });
  const groups = bySharedPlaces(rules).map((members) => oneOrNone(members.map(nameOf)));
  const otherwise = oneOf(groups, allOf);
  const provided = oneOf(
    rules.map((_, i) => provider(nameOf(i))),
    anyOf,
  );
  const { optional = [], required = [] } = requiredTokens(policies) ?? {};
  return [
    ...optional.map((match) => rule(match, otherwise)),
    ...required.map((match) => rule(match, groups.length === 1 ? provided : allOf([provided, otherwise]))),
    rule({ pathSpecifier: { case: 'prefix', value: '/' } }, otherwise),
  ];
}
