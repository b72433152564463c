"""The words of which the house makes names: the library's colours, stones, plants and animals, without what wounds.

A pseudonym is what others call somebody, in a house for people in distress. So no adjective that says how anybody is
(the library knows fat, lean, crazy and lazy ones) is taken at all, and of the rest nothing of the kinds below.
"""

from collections.abc import Mapping
from typing import Any

from coolname.data import config

FIRST_LISTS = ("adjective_near",)
SECOND_LISTS = ("animal",)
LONGEST = 10
"""Letters of a word: the name is typed on a phone."""

REFUSED: Mapping[str, str] = {
    "food: some here count every bite": """
        almond apricot artichoke asparagus banana carrot cherry chestnut chocolate cinnamon cream eggplant ginger
        lemon lime maize mustard olive orange papaya peach persimmon pistachio pumpkin raspberry sage tangerine tomato
        vanilla wine burgundy bass carp chicken clam crab crayfish duck goose lobster mackerel mussel oyster prawn
        salmon scallop shellfish shrimp squid sturgeon trout tuna turkey anchovy cuttlefish flounder perch pheasant
        partridge quail grouse herring cockle limpet sole crawfish swallow kiwi
        """,
    "size and shape of a body: said of people": """
        beluga boar buffalo bull cow elephant gorilla hippo hog mammoth manatee mastodon mole muskox orca pig rhino
        sow walrus warthog whale dugong bison ox kudu gaur heifer pug narwhal dinosaur porpoise peccary pudu
        inchworm
        """,
    "an insult, or half of one": """
        ape ass baboon booby boobook coot cougar cuckoo dodo dog donkey goat hare hound loon louse mule parrot
        peacock rat rook shrew skunk sloth slug snail swine toad tody weasel worm yak zebu chimpanzee monkey bandicoot
        gannet magpie sheep lemming tit polecat mink vixen guppy orangutan capuchin mandrill macaque bonobo gibbon
        grebe muskrat earthworm tench dogfish bustard ara hoatzin aardvark sponge guan crow hyena jackal vulture
        buzzard cormorant frogmouth shoebill roadrunner civet spoonbill ostrich crane mouse beaver
        raccoon nuthatch catfish stallion wrasse groundhog
        """,
    "poison, teeth, blade or drug: a fear, or an end": """
        adder alligator anaconda asp barracuda boa caiman centipede cobra copperhead crocodile gharial hornet
        jellyfish leech lionfish locust mamba millipede mosquito piranha python rattlesnake raptor scorpion shark
        sidewinder snake spider stingray taipan tarantula termite tick velociraptor viper wasp smilodon cockroach
        earwig bat woodlouse raven condor panther wolf wolverine barnacle maggot mushroom urchin eel bug ant
        pillbug dragon horse angelfish mayfly sawfish sawfly
        """,
    "skin or origin of a person": """
        black blonde blond brown ebony ivory porcelain red tan taupe tuscan white yellow beige khaki amaranth
        sepia auburn mahogany umber
        """,
    "steel, powder and chemistry: means of harm, or tablets": """
        alchemical bronze charcoal chrome cobalt copper iron metal nickel platinum steel tungsten infrared
        ultraviolet zircon crimson carmine garnet thistle xanthic amigurumi origami denim
        """,
    "hunted, bred or killed for use": "ermine sable chinchilla hamster gerbil silkworm ferret degu",
    "a given name: it would point at somebody": """
        amber jade jasmine jasper lilac olivine opal pearl rose ruby scarlet violet robin robyn martin marten
        myrtle crystal ivy iris daisy lily hazel heather poppy fern willow rowan olivia marigold saffron
        beryl sandy coral clay
        """,
    "a mood": "blue",
    "spelt otherwise here": "gray",
    "the example's rooms are called so": """
        alder aspen birch cedar finch hazel heron linnet martin robin rowan swift thrush willow wren
        """,
}
"""Words that are never drawn, by the reason. Some are in no list of the library today; a later one may bring them."""

_LIBRARY: Mapping[str, Any] = config
_NEVER = frozenset(word for words in REFUSED.values() for word in words.split())


def first_words() -> tuple[str, ...]:
    """Return what a pseudonym may begin with, sorted."""
    return _kept(FIRST_LISTS)


def second_words() -> tuple[str, ...]:
    """Return what may come second, sorted; nothing that may be first, so that no word stands twice."""
    return tuple(word for word in _kept(SECOND_LISTS) if word not in first_words())


def _kept(lists: tuple[str, ...]) -> tuple[str, ...]:
    words = {word for name in lists for word in _LIBRARY[name]["words"] if len(word) <= LONGEST}
    return tuple(sorted(words - _NEVER))
