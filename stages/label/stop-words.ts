/**
 * Words that never name a topic by themselves: English function words, and what papers of every field say
 * of themselves. Short on purpose: whatever else a corpus repeats everywhere, the ceiling on document
 * frequency takes out. Lower case, no hyphens, singular and plural both where both are used.
 */

const FUNCTION_WORDS = `
a about above across after again against all almost along already also although always am among an and
another any anything are aren't around as at away back be became because become becomes been before behind
being below between beyond both but by came can cannot could couldn't did didn't do does doesn't doing don't
done down due during each either else enough etc even ever every everything far few for former from further
get gets getting give given gives go goes got had hardly has hasn't have haven't having he hence her here
hers herself him himself his how however i if in indeed instead into is isn't it its it's itself just keep
kept last latter least less let like likely made mainly make makes making many may maybe me merely might
mine more moreover most mostly much must my myself namely near nearly neither never nevertheless next no
nobody none nor not nothing now nowadays of off often on once one ones only onto or other others otherwise
our ours ourselves out over own per perhaps please put quite rather really said same say says see seem seems
seen several shall she should since so some someone something sometimes somewhat somewhere soon still such
take taken takes than that the their theirs them themselves then there thereby therefore these they thing
things this those though through throughout thus to together too toward towards under unless until up upon
us use used useful user uses using usually various very via was wasn't way ways we well went were what
whatever when where whereas whereby wherein whether which while who whoever whole whom whose why will with
within without won't would wouldn't yet you your yours yourself
`;

const NUMBER_WORDS = `
zero one two three four five six seven eight nine ten first second third fourth fifth once twice half
hundred thousand million billion percent percentage single double multiple numerous total
i.e e.g ie eg et al cf vs resp fig eq
`;

const PAPER_WORDS = `
ability able absolute abstract according account accurate accurately achieve achieved achievement achieves
achieving acquire acquired actual actually adapt add added addition additional additionally address addressed
addresses addressing adequate adopt adopted advance advanced advantage affect aim aimed aims allow allowed
allowing allows alternative analyse analysed analyses analysis analyze analyzed analyzing appear applicable
application applications applied apply applying approach approaches appropriate approximately area argue
article aspect assess assessed assessment associated assume attempt author available average
base based baseline baselines basic basis benefit best better big bring broad build building built
call called capability capable capture captured captures capturing carried case cases certain challenge
challenges challenging change characteristic choice choose clear clearly close closely code combination
combine combined combining common commonly compare compared comparable comparing comparison compete competitive
complete complex complexity component comprehensive concept conclude conclusion condition conduct conducted
consider considerable considerably considered considering consist consistent consistently consisting consists
construct constructed contain containing contains contribute contribution contributions conventional correct
correctly corresponding cover create created creating crucial current currently
deal define defined degree demonstrate demonstrated demonstrates demonstrating depend depending depends
derive derived describe described describes description design designed desirable detail detailed details
determine determined develop developed developing development differ difference differences different
difficult difficulty direct directly discuss discussed discussion display distinct diverse
early ease easily easy effect effective effectively effectiveness effects efficiency efficient efficiently
effort efforts element elements employ employed employing employs emerge emerging empirical empirically enable
enabled enables enabling encourage end enhance enhanced enhancing ensure entire especially essential establish
established evaluate evaluated evaluating evaluation evaluations evidence evident examine examined examining
example examples excellent exhibit exist existing exists expect expected experiment experimental
experimentally experiments explain explicit explicitly exploit exploited exploiting explore explored explores
exploring extend extended extending extensive extensively extent extra extremely
facilitate fact factor factors fail fails fast feasible final finally find finding findings finds
fine fix focus focused focuses focusing follow followed following follows form formal formulate found framework
frameworks frequently full fully function fundamental furthermore future
gain gains general generally github good great greater greatly ground group
handle hard help helpful helps high higher highest highlight highly hope huge http https
idea ideal identified identify identifying illustrate impact implement implementation implemented implication
implications important importantly importance improve improved improvement improvements improves improving
include included includes including incorporate incorporated incorporates incorporating increase increased
increases increasing increasingly indicate indicates indicating individual influence inform inherent initial
insight insights inspired instance intend interest interesting interestingly introduce introduced introduces
introducing investigate investigated investigates investigating investigation involve involved involves
involving issue issues
join joint jointly
key kind know known
lack large largely larger largest late later latest lead leading leads learn learned leave led leverage
leveraged leverages leveraging level levels limit limitation limitations limited link little long longer
look low lower lowest
main major manner mean means measure measured meet method methodology methodologies methods metric mode model
modeling modelling modelled models moderate modern motivate motivated
natural necessary need needed needs new newly nontrivial normal notable notably novel novelty number
numbers
observation observe observed obtain obtained obtaining occur offer offers old open order original
outcome outperform outperformed outperforming outperforms overall overcome overview
paper papers part particular particularly past perform performance performances performed performing performs
pilot play plays point points poor popular pose possible possibly potential potentially powerful
practical practically practice precise preliminary present presence presented presenting presents previous
previously primarily primary principle prior problem problems procedure process processes produce produced
produces producing progress project promising propose proposed proposes proposing prove proven provide provided
provides providing publicly publish published purpose
qualitative qualitatively quantitative quantitatively quality quick
range rapid rapidly rate ratio reach reached reaches real realistic reason reasonable recent recently reduce
reduced reduces reducing regard regarding relate related relative relatively release released relevant reliable
remain remaining remains report reported reports represent represented representing represents require required
requirement requires requiring research researcher researchers respect respectively result resulted resulting
results reveal revealed reveals review rich robust
satisfactory scale scenario scenarios score scores scope section select selected serve set sets setting settings
setup severe share show showed showing shown shows significance significant significantly similar similarly
simple simply simultaneously situation size small smaller solution solutions solve solved solving sota source
special specific specifically specified stage standard start state stateoftheart step steps straightforward
strategy strategies strength strong stronger strongly studied studies study studying subject submission submit
submitted subsequent substantial substantially success successful successfully suffer sufficient suggest
suggested suggesting suggests suit suitable superior superiority support supported surpass surpasses
survey system systems systematic systematically
tackle target task tasks team technique techniques technology technologies tend term terms test tested testing
theoretical theoretically time times tool tools top traditional train trained training treat true
try turn type types typical typically
ultimately unable underlying understand understood unified unique unlike update usage useful usefulness
utilise utilize utilized utilizes utilizing
valid validate validated valuable value values variable variant variants variation variations variety vary
varying verify version view vital
weak whilst wide widely wider widespread work working works world worse worst worth year years yield yielded
yielding yields
`;

/** Function words: an entity that begins with one is known by the rest. */
export const FUNCTION_WORD_SET: ReadonlySet<string> = new Set(wordsOf(FUNCTION_WORDS));

/** All of them. */
export const STOP_WORD_SET: ReadonlySet<string> = new Set([
  ...wordsOf(FUNCTION_WORDS),
  ...wordsOf(NUMBER_WORDS),
  ...wordsOf(PAPER_WORDS),
]);

function wordsOf(list: string): string[] {
  return list.split(/\s+/).filter((word) => word !== '');
}
