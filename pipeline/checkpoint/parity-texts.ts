/**
 * The fixed texts that every conversion is checked on: titles and abstracts as this program meets them, from
 * one word to a paragraph, with formulas, numbers, names, accents and other scripts. Written for this purpose.
 */
export const parityTexts: readonly string[] = [
  'Graphene',
  'Results',
  'Deep learning for protein structure prediction',
  'A survey of topic models for scientific text',
  'Température et humidité : une étude à long terme dans les Alpes',
  'Über die Stabilität gekoppelter Oszillatoren mit verzögerter Rückkopplung',
  'BRCA1-mediated DNA repair in HER2+ breast cancer cells (MCF-7, SK-BR-3)',
  'We show that P = 0.03, n = 1,204 and R² = 0.87; see Fig. 2(b) and Table S1.',
  '深度学习在医学影像中的应用综述',
  'Эффективные методы решения разреженных систем линейных уравнений',
  'The catalyst was calcined at 550 °C for 4 h, then reduced under flowing hydrogen before each run.',
  'Does sleep matter? A randomised trial among 96 shift workers found no effect of short naps on recall.',
  'We introduce a parser that reads sentences from left to right and keeps a small beam of partial trees. ' +
    'On three treebanks it is as accurate as the best chart parser and runs in linear time.',
  'Soil carbon stocks were measured at 41 sites over twelve years. Ploughing lowered them by a fifth within ' +
    'four seasons, while cover crops restored about half of the loss. The change was largest in sandy soils.',
  'Quantum dots of CdSe/ZnS emit at 525–640 nm depending on their diameter. Here we couple single dots to a ' +
    'photonic crystal cavity with a quality factor of 9 × 10³ and observe a fivefold Purcell enhancement.',
  'Named entity recognition in clinical notes suffers from abbreviations, misspellings and missing context. ' +
    'We compare conditional random fields, convolutional networks and transformers on four corpora, and find ' +
    'that a character-level model closes most of the gap at a fraction of the cost.',
  'Background: Antibiotic resistance in Klebsiella pneumoniae is rising. Methods: We sequenced 312 isolates ' +
    'from six hospitals and tested each against eleven drugs. Results: Carbapenemase genes were present in ' +
    '18% of isolates, mostly on IncF plasmids. Conclusions: Routine sequencing would have found two of the ' +
    'three outbreaks about five weeks earlier than culture did.',
  'Let G be a finite graph in which every vertex has degree at least three. We prove that G has a cycle whose ' +
    'length is not divisible by three unless G is one of four exceptional graphs, and give an algorithm that ' +
    'finds such a cycle in O(m log n) time. The proof uses a new decomposition into ears of bounded width, ' +
    'which may be of interest on its own. As a corollary we obtain a bound on the independence number.',
  'Large language models answer questions fluently but cite sources that do not exist. We build a benchmark ' +
    'of 2,400 questions from review articles in ecology, medicine and law, each with the passages that support ' +
    'its answer, and measure how often models name a passage that says what they claim. The best system does ' +
    'so in 61% of cases with retrieval and in 9% without. Errors grow with the age of the source. We release ' +
    'the questions, the passages and the code that scores answers, and discuss how reviewers may use them.',
  'Perovskite solar cells degrade under moisture, heat and light. We track 48 devices of three compositions ' +
    'for 1,000 hours at 65 °C and 1 sun, using impedance spectroscopy, photoluminescence and X-ray diffraction. ' +
    'Loss of iodide at the hole-transport layer precedes any change in the absorber, and a 2 nm layer of ' +
    'aluminium oxide delays it by a factor of seven. Cells with mixed cations keep 92% of their initial ' +
    'efficiency. A kinetic model with two activation energies, 0.58 eV and 0.91 eV, describes all compositions ' +
    'and predicts a lifetime of eleven years in a temperate climate. We suggest that tests at a single ' +
    'temperature cannot separate the two processes and should not be used for extrapolation.',
];
