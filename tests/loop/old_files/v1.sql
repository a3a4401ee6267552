PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE project (
    id               INTEGER PRIMARY KEY CHECK (id = 1),
    uuid             BLOB    NOT NULL,
    created_ms       INTEGER NOT NULL,
    created_by       TEXT    NOT NULL,
    seed             INTEGER NOT NULL,
    audit_share      REAL    NOT NULL,
    eval_share       REAL    NOT NULL,
    active_predictor INTEGER REFERENCES predictor (id)
) STRICT;
INSERT INTO project VALUES(1,X'01a20104e1d17737b22cc26fcb3a5f00',1795313426897,'hardcase 0.1.0',1,0.050000000000000002775,0.29999999999999998889,1);
CREATE TABLE source (
    id           INTEGER PRIMARY KEY,
    name         TEXT    NOT NULL,
    found        TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('loading', 'ready')),
    rows         INTEGER NOT NULL DEFAULT 0,
    items        INTEGER NOT NULL DEFAULT 0,
    empty        INTEGER NOT NULL DEFAULT 0,
    rejected     INTEGER NOT NULL DEFAULT 0,
    started_ms   INTEGER NOT NULL,
    finished_ms  INTEGER
) STRICT;
INSERT INTO source VALUES(1,'ads.csv','{"shape":{"delimited":{"delimiter":44,"quotes":true}},"encoding":"UTF-8","byte_order_mark":false,"header":true,"columns":["id","text","placement","advertiser","gold"],"text":[1],"id":0,"gold":4,"meta":[2]}','ready',12,12,0,0,1795313426919,1795313426926);
CREATE TABLE item (
    id     INTEGER PRIMARY KEY,
    key    BLOB    NOT NULL CHECK (length(key) = 32),
    text   TEXT    NOT NULL,
    split  TEXT    NOT NULL CHECK (split = 'train' OR split = 'eval' OR split = 'audit'),
    source INTEGER NOT NULL REFERENCES source (id)
) STRICT;
INSERT INTO item VALUES(1,X'c0c4a286b815b31787847cf4ca54af4d49fb40de9750502c4e1420c51e00483f','There is one word you mispronounce every single day. You''ll be mortified when you hear which.','train',1);
INSERT INTO item VALUES(2,X'46c44b41b56bf8171f70e409956bc8f0693d3452e9edd00d0f1ac4850154c4f8','Indian takeaway in Tillbrook, vegan dishes marked on the menu. Delivery within five kilometres for 2.50, free over 30.','train',1);
INSERT INTO item VALUES(3,X'e2e9b0af2611ca4402a7e3fdbc148df1815665c7654f9cf3fbcf78c5735a18a4','Three lakes you can reach without a car: Morgensee from the S2, Blauwasser by bus 41, Lake Tilde by foot ferry. Twenty-eight others in our new guide, 17.90.','train',1);
INSERT INTO item VALUES(4,X'ec842eab344ec74ab72e8a4bdb1f08f01e9a12b6f76e91ea3bd7d0c2c469a115','Three stretches for people who sit all day, shown by our physiotherapist. If you would like a full assessment, it costs 50 and lasts 45 minutes.','train',1);
INSERT INTO item VALUES(5,X'a6852324c2f7401f4d80a6ac9761761d344f594c2fde16ce556131b484298cfb','Bring a drawing by your child and we frame it in ash with clear glass up to A3 for 35 until Mother''s Day.','eval',1);
INSERT INTO item VALUES(6,X'df26032d297840725276297fa121b443e276bcfdd92170887124e0d885a320b3','Free skip with every drive over 60 square metres ordered in February, so that the old slabs disappear without a call to the council.','train',1);
INSERT INTO item VALUES(7,X'a57ca59f2ca86544a1047047d06cd77541763f657b7e84998f381efd28c5c7c9','An expert opinion on heating has been published. Homeowners with a gas boiler may wish to take note.','train',1);
INSERT INTO item VALUES(8,X'179ef8dbc22634d923f1449cbba37e48c3ba22def5dd5ff82784be3f7ea916e3','4 ingredients, no secrets: oats, shea butter, beeswax, water. That is our whole hand cream, 9.80 a tin.','train',1);
INSERT INTO item VALUES(9,X'3db52233ea589e361547d78d615cf0cb843c11417835480f43c90d5b7efe7aa2','Whole spices in refill jars: cardamom, cumin, Kampot pepper and 80 others. Post free from 25.','train',1);
INSERT INTO item VALUES(10,X'6c722032103ff3eac3bcba2e6c74b48d1287d8abd341f38f1b04f89e6c55bcf5','Parent and baby mornings on Wednesdays. Songs, a mat, lukewarm tea, other people who slept badly. Come when you like.','train',1);
INSERT INTO item VALUES(11,X'ea3605990d40f283ed32ba32f387abe70df4dba329306295914dc34144e43c1c','Pottery course on the wheel, six evenings, clay and two firings included. 195 per person.','train',1);
INSERT INTO item VALUES(12,X'c22b864e9a3582f3b6553c83cc857a49eeceea66b44a23114d128d261449e950','Only two flats left! From 289,000.','train',1);
CREATE TABLE item_key (
    key  BLOB    PRIMARY KEY CHECK (length(key) = 32),
    item INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO item_key VALUES(X'179ef8dbc22634d923f1449cbba37e48c3ba22def5dd5ff82784be3f7ea916e3',8);
INSERT INTO item_key VALUES(X'3db52233ea589e361547d78d615cf0cb843c11417835480f43c90d5b7efe7aa2',9);
INSERT INTO item_key VALUES(X'46c44b41b56bf8171f70e409956bc8f0693d3452e9edd00d0f1ac4850154c4f8',2);
INSERT INTO item_key VALUES(X'6c722032103ff3eac3bcba2e6c74b48d1287d8abd341f38f1b04f89e6c55bcf5',10);
INSERT INTO item_key VALUES(X'a57ca59f2ca86544a1047047d06cd77541763f657b7e84998f381efd28c5c7c9',7);
INSERT INTO item_key VALUES(X'a6852324c2f7401f4d80a6ac9761761d344f594c2fde16ce556131b484298cfb',5);
INSERT INTO item_key VALUES(X'c0c4a286b815b31787847cf4ca54af4d49fb40de9750502c4e1420c51e00483f',1);
INSERT INTO item_key VALUES(X'c22b864e9a3582f3b6553c83cc857a49eeceea66b44a23114d128d261449e950',12);
INSERT INTO item_key VALUES(X'df26032d297840725276297fa121b443e276bcfdd92170887124e0d885a320b3',6);
INSERT INTO item_key VALUES(X'e2e9b0af2611ca4402a7e3fdbc148df1815665c7654f9cf3fbcf78c5735a18a4',3);
INSERT INTO item_key VALUES(X'ea3605990d40f283ed32ba32f387abe70df4dba329306295914dc34144e43c1c',11);
INSERT INTO item_key VALUES(X'ec842eab344ec74ab72e8a4bdb1f08f01e9a12b6f76e91ea3bd7d0c2c469a115',4);
CREATE TABLE source_row (
    source      INTEGER NOT NULL REFERENCES source (id),
    row         INTEGER NOT NULL,
    external_id TEXT,
    gold        TEXT,
    meta        TEXT,
    fields      TEXT    NOT NULL,
    item        INTEGER NOT NULL REFERENCES item (id),
    PRIMARY KEY (source, row)
) STRICT, WITHOUT ROWID;
INSERT INTO source_row VALUES(1,1,'ad-0001','clickbait','{"placement":"feed"}','["ad-0001",null,"feed","Wortkiste Club","clickbait"]',1);
INSERT INTO source_row VALUES(1,2,'ad-0002','fine','{"placement":"search"}','["ad-0002",null,"search","Saffron Street Kitchen","fine"]',2);
INSERT INTO source_row VALUES(1,3,'ad-0003','fine','{"placement":"newsletter"}','["ad-0003",null,"newsletter","Wanderlark","fine"]',3);
INSERT INTO source_row VALUES(1,4,'ad-0004','fine','{"placement":"video"}','["ad-0004",null,"video","Backroom Physio","fine"]',4);
INSERT INTO source_row VALUES(1,5,'ad-0005','fine','{"placement":"newsletter"}','["ad-0005",null,"newsletter","Frame Farm","fine"]',5);
INSERT INTO source_row VALUES(1,6,'ad-0006','fine','{"placement":"feed"}','["ad-0006",null,"feed","Gravel & Gate","fine"]',6);
INSERT INTO source_row VALUES(1,7,'ad-0007','clickbait','{"placement":"search"}','["ad-0007",null,"search","Heatwise Pumps","clickbait"]',7);
INSERT INTO source_row VALUES(1,8,'ad-0008','fine','{"placement":"newsletter"}','["ad-0008",null,"newsletter","Marigold Skin","fine"]',8);
INSERT INTO source_row VALUES(1,9,'ad-0009','fine','{"placement":"search"}','["ad-0009",null,"search","Spice Attic","fine"]',9);
INSERT INTO source_row VALUES(1,10,'ad-0010','fine','{"placement":"feed"}','["ad-0010",null,"feed","Bumblebee Nursery","fine"]',10);
INSERT INTO source_row VALUES(1,11,'ad-0011','fine','{"placement":"search"}','["ad-0011",null,"search","Kiln Street Studio","fine"]',11);
INSERT INTO source_row VALUES(1,12,'ad-0012','fine','{"placement":"banner"}','["ad-0012",null,"banner","Marrow Quay Homes","fine"]',12);
CREATE TABLE task_revision (
    id         INTEGER PRIMARY KEY,
    uuid       BLOB    NOT NULL UNIQUE,
    number     INTEGER NOT NULL UNIQUE,
    toml       TEXT    NOT NULL,
    session    INTEGER NOT NULL REFERENCES session (id),
    created_ms INTEGER NOT NULL
) STRICT;
INSERT INTO task_revision VALUES(1,X'01a20104e1d3754db6c54ae324166e9e',1,replace('# What is asked about each text, and what the answers mean.\n# A changed copy becomes the next revision with: hardcase task PROJECT --set THIS_FILE\n\nname = "clickbait ads"\nquestion = "Is this ad clickbait?"\n\n# How to decide. Several lines stand between three quotes: """..."""\nguideline = """\nRead only the text, without clicking. Afterwards, do you know what is offered, announced or claimed? Then it is fine. If the ad hides the very thing it is about, so that clicking is the only way to learn it, it is clickbait.\n\nTone does not count. Capitals, exclamation marks, countdowns, big numbers and boasts are fine when the offer is named. A calm or official tone is no excuse: "Local residents are switching. Find out why." is clickbait.\n\nHard cases:\n- Questions: fine if the ad answers them, or names the service that will (a free house valuation). Clickbait if the answer is the bait.\n- Lists: fine if the ad names what is in them. Clickbait if it teases an item.\n- News, rules, notices: clickbait if it says that something changed but not what.\n- Product named, but a missing fact is the main reason to click ("one feature everybody regrets"): clickbait.\n- Guides, talks, films and courses: fine if the ad states what they teach. Clickbait if the subject itself stays secret ("one mistake").\n- Suspense that belongs to the product (a thriller, an escape game, a mystery box) is fine when the product is named.\n- Short or dull is not clickbait. A missing price or address is not withholding, and neither is a slogan that names the goods.\n\nStill undecided? Ask what a reader would complain about after the click. "I could have been told that in the ad" means clickbait.\n"""\n\n# Experts see the model''s view of a case after their answer; of training cases with "before", before it, too.\n# assist = "before"\n\n# The labels, in the order of the screen.\n# id           under which answers are kept: leave it when you rename a label\n# name, key    what the screen shows, and the key that gives it\n# description  what it means; with the examples, what the model''s first guess rests on\n# examples     typical texts\n# share        about how common it is among all texts, from 0 to 1; a line without it is unknown\n\n[[label]]\nid = "clickbait"\nname = "clickbait"\nkey = "1"\ndescription = "withholds what it is about to make people click"\nexamples = [\n    "You won''t believe what she found in the attic. Click to see!",\n    "This one simple trick will change the way you cook forever.",\n    "9 reasons why nobody on board drinks the coffee. Number 4 is shocking!",\n    "Experts agree on the one mistake most homeowners make. Find out what it is.",\n    "Something important is changing for drivers in your area. Read more.",\n]\nshare = 0.2\n\n[[label]]\nid = "fine"\nname = "fine"\nkey = "2"\ndescription = "says plainly what it offers"\nexamples = [\n    "Handmade leather belts in four widths, 45 each, delivered in three days.",\n    "Piano lessons for adults, 30 an hour, first lesson free.",\n    "Summer sale! All garden chairs half price until Saturday.",\n    "Family dentist with evening appointments, new patients welcome.",\n    "Guided tour of the old town every Sunday at ten, adults 12, children free.",\n]\nshare = 0.8\n','\n',char(10)),1,1795313426899);
INSERT INTO task_revision VALUES(2,X'01a20104e29e713193c1835b25b553de',2,replace('# What is asked about each text, and what the answers mean.\n# A changed copy becomes the next revision with: hardcase task PROJECT --set THIS_FILE\n\nname = "clickbait ads"\nquestion = "Is this ad clickbait, would you say?"\n\n# How to decide. Several lines stand between three quotes: """..."""\nguideline = """\nRead only the text, without clicking. Afterwards, do you know what is offered, announced or claimed? Then it is fine. If the ad hides the very thing it is about, so that clicking is the only way to learn it, it is clickbait.\n\nTone does not count. Capitals, exclamation marks, countdowns, big numbers and boasts are fine when the offer is named. A calm or official tone is no excuse: "Local residents are switching. Find out why." is clickbait.\n\nHard cases:\n- Questions: fine if the ad answers them, or names the service that will (a free house valuation). Clickbait if the answer is the bait.\n- Lists: fine if the ad names what is in them. Clickbait if it teases an item.\n- News, rules, notices: clickbait if it says that something changed but not what.\n- Product named, but a missing fact is the main reason to click ("one feature everybody regrets"): clickbait.\n- Guides, talks, films and courses: fine if the ad states what they teach. Clickbait if the subject itself stays secret ("one mistake").\n- Suspense that belongs to the product (a thriller, an escape game, a mystery box) is fine when the product is named.\n- Short or dull is not clickbait. A missing price or address is not withholding, and neither is a slogan that names the goods.\n\nStill undecided? Ask what a reader would complain about after the click. "I could have been told that in the ad" means clickbait.\n"""\n\n# Experts see the model''s view of a case after their answer; of training cases with "before", before it, too.\n# assist = "before"\n\n# The labels, in the order of the screen.\n# id           under which answers are kept: leave it when you rename a label\n# name, key    what the screen shows, and the key that gives it\n# description  what it means; with the examples, what the model''s first guess rests on\n# examples     typical texts\n# share        about how common it is among all texts, from 0 to 1; a line without it is unknown\n\n[[label]]\nid = "clickbait"\nname = "clickbait"\nkey = "1"\ndescription = "withholds what it is about to make people click"\nexamples = [\n    "You won''t believe what she found in the attic. Click to see!",\n    "This one simple trick will change the way you cook forever.",\n    "9 reasons why nobody on board drinks the coffee. Number 4 is shocking!",\n    "Experts agree on the one mistake most homeowners make. Find out what it is.",\n    "Something important is changing for drivers in your area. Read more.",\n]\nshare = 0.2\n\n[[label]]\nid = "fine"\nname = "fine"\nkey = "2"\ndescription = "says plainly what it offers"\nexamples = [\n    "Handmade leather belts in four widths, 45 each, delivered in three days.",\n    "Piano lessons for adults, 30 an hour, first lesson free.",\n    "Summer sale! All garden chairs half price until Saturday.",\n    "Family dentist with evening appointments, new patients welcome.",\n    "Guided tour of the old town every Sunday at ten, adults 12, children free.",\n]\nshare = 0.8\n','\n',char(10)),9,1795313427102);
CREATE TABLE expert (
    id         INTEGER PRIMARY KEY,
    uuid       BLOB    NOT NULL UNIQUE,
    name       TEXT    NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL
) STRICT;
INSERT INTO expert VALUES(1,X'01a20104e1d27069acc6c0a9bde91bf5','ada',1795313426898);
INSERT INTO expert VALUES(2,X'01a20104e26d77168e461b60bf18c512','bob',1795313427053);
CREATE TABLE session (
    id         INTEGER PRIMARY KEY,
    uuid       BLOB    NOT NULL UNIQUE,
    expert     INTEGER NOT NULL REFERENCES expert (id),
    login      TEXT    NOT NULL,
    uid        INTEGER NOT NULL,
    host       TEXT    NOT NULL,
    process    TEXT    NOT NULL,
    program    TEXT    NOT NULL,
    started_ms INTEGER NOT NULL,
    ended_ms   INTEGER,
    ended_how  TEXT CHECK (ended_how IN ('closed', 'lost'))
) STRICT;
INSERT INTO session VALUES(1,X'01a20104e1d27069acc6c0aa62e28d4f',1,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313426898,1795313426900,'closed');
INSERT INTO session VALUES(2,X'01a20104e2077604803d110b4ea85dd1',1,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313426951,1795313426954,'closed');
INSERT INTO session VALUES(3,X'01a20104e224707a9da879f728ae4a0d',1,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313426980,1795313426983,'closed');
INSERT INTO session VALUES(4,X'01a20104e23f777a882b6bfa09a1c3f9',1,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313427007,1795313427009,'closed');
INSERT INTO session VALUES(5,X'01a20104e2597509af15e5774e2cda42',1,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313427034,1795313427036,'closed');
INSERT INTO session VALUES(6,X'01a20104e26d77168e461b61d85bbc6a',2,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313427053,1795313427056,'closed');
INSERT INTO session VALUES(7,X'01a20104e27f753ab83ef955b7c58aac',2,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313427071,1795313427073,'closed');
INSERT INTO session VALUES(8,X'01a20104e28d729182d74ebb1dda90f9',2,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313427085,1795313427087,'closed');
INSERT INTO session VALUES(9,X'01a20104e29d753a9a59e2c60aa7a9e2',1,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313427101,1795313427103,'closed');
INSERT INTO session VALUES(10,X'01a20104e2ba76c8b6312fcba08ceeae',1,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313427130,1795313427132,'closed');
INSERT INTO session VALUES(11,X'01a201054a8171a2b62048122ef9514c',1,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313453698,1795313453700,'closed');
INSERT INTO session VALUES(12,X'01a201054ae777388c5e8771fbfc1569',1,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313453799,1795313453801,'closed');
INSERT INTO session VALUES(13,X'01a201054af376a9a4a2ac03eaffc97e',1,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313453811,1795313453815,'closed');
INSERT INTO session VALUES(14,X'01a201054b5175a584f92beec042adb6',1,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313453905,1795313453907,'closed');
INSERT INTO session VALUES(15,X'01a201054b5f7492bdbfab51408cb613',1,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313453919,1795313453921,'closed');
INSERT INTO session VALUES(16,X'01a201054bc0765085c50af4db6908dc',1,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313454016,1795313454019,'closed');
INSERT INTO session VALUES(17,X'01a201054bcf73638df4ead8a4fe23c5',1,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313454031,1795313454033,'closed');
INSERT INTO session VALUES(18,X'01a201054c2b73fb9171a278a0df4d73',1,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313454123,1795313454126,'closed');
INSERT INTO session VALUES(19,X'01a201054c3873f7bc8e069c9408687b',2,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313454136,1795313454138,'closed');
INSERT INTO session VALUES(20,X'01a201054c95756980271f181f6af8d3',2,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313454229,1795313454232,'closed');
INSERT INTO session VALUES(21,X'01a201054ca2752aacb42bfc885f7b5e',2,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313454242,1795313454244,'closed');
INSERT INTO session VALUES(22,X'01a201054cff70b580a1a0980d151e1d',2,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313454335,1795313454337,'closed');
INSERT INTO session VALUES(23,X'01a201054d0e74f6b0606b4d21214a50',2,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313454350,1795313454353,'closed');
INSERT INTO session VALUES(24,X'01a201054d6e705fa3bfe4a2e7877c89',2,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313454446,1795313454448,'closed');
INSERT INTO session VALUES(25,X'01a201054d7c71c1a6b8824cb1f97a89',2,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313454460,1795313454463,'closed');
INSERT INTO session VALUES(26,X'01a201054dd97652beee841e9a252fe9',2,'ada',0,'ws1','1:1','hardcase 0.1.0',1795313454553,1795313454555,'closed');
CREATE TABLE model (
    id           INTEGER PRIMARY KEY,
    sha256       BLOB    NOT NULL UNIQUE,
    name         TEXT    NOT NULL,
    path         TEXT    NOT NULL,
    architecture TEXT    NOT NULL,
    quantisation TEXT    NOT NULL,
    dimensions   INTEGER NOT NULL,
    bytes        INTEGER NOT NULL
) STRICT;
INSERT INTO model VALUES(1,X'c5542e19e117d4ab812e634e2afb7949c5faffbe09c2ea1b2d70e3ce59d4bed6','all-MiniLM-L6-v2','','bert','F32',384,25401248);
CREATE TABLE adapter (
    id            INTEGER PRIMARY KEY,
    uuid          BLOB    NOT NULL UNIQUE,
    kind          TEXT    NOT NULL CHECK (kind IN ('head', 'lora', 'alora')),
    model         INTEGER NOT NULL REFERENCES model (id),
    parent        INTEGER REFERENCES adapter (id),
    round         INTEGER REFERENCES round (id),
    revision      INTEGER NOT NULL REFERENCES task_revision (id),
    labels        TEXT    NOT NULL,
    settings      TEXT    NOT NULL,
    training_hash BLOB    NOT NULL,
    training_n    INTEGER NOT NULL,
    bytes         BLOB    NOT NULL,
    created_ms    INTEGER NOT NULL
) STRICT;
CREATE TABLE embedding (
    model   INTEGER NOT NULL REFERENCES model (id),
    adapter INTEGER NOT NULL DEFAULT 0,
    item    INTEGER NOT NULL REFERENCES item (id),
    vector  BLOB    NOT NULL,
    PRIMARY KEY (model, adapter, item)
) STRICT, WITHOUT ROWID;
INSERT INTO embedding VALUES(1,0,1,X'3c2bceab961c7f9b09ad15aa5a2ff9a7c7a1a1a8ee1961ab872ab2a818ac77a6ca9c709e90a6eba809a5a92de22451a0662c12a2a7a337a340a8ac10d5a31628d322cda8e025d7a622ac851ddb26d822b19916a05a213da4f61f72a819b0022b6c276c1b4cac26b0a0a5402e0718a3a2b0a1d02d26a8c226f7a6cd29bda7c29d41983d82fe27bfa54720022f2022500a3f2e4a2d9eac73290e2cfa21cd2d7e251aa8c82052abd6afcb2163a7a3a72a1cc92111a494aaa1adbc2414a5a51d1d9f7fa9692eb2a9392ab9aba91d54aa2722ca9ff6a5e7b075a861250aa7adac9728f32a081dc5a6d32c27a048a30719b52b91a7cf2c30a661049ca3ddad96a400804c25712cf3a21d291f9eeead5bae27aa832bca9e702c7ca864aab61d9c1b512e96aabe293eab8faa652961303e245fac34a23ab0a72c2e9fa0286329c42a03ae502c77970bab35a29c2909a8e3ad9fa6421ba7a0afad40213a2fec2c7a2d25ab94a39ba12d2d379e632cac27c6a8ee0d932fb9a8972c44a708217d21ab29bda0c6a91e287da77d28c6189d9b0620baacec263227e1a989a9409a5fa8a42378a67a20e79fd7a8972da29e3e296b2359a4442b8d9683acc82a212bf9a988a6008098ac16aa33a2ce31adac68999525082ce62dcea927249aabe7a4e8261c2d02ab49229e1e872804328faa52acdcab4c2af426b923a12935a128268b2786aa7d26a2ad30a51c1c3d2fefa7ff2494adf29f61aece24cfa0a6a278aa80ac93acff27781a44177828c82c13a72d289d23c429b99a6ea5e3aeef27722a65a971a867a0fe2158252aaad2230324231dbb2dd32989ae77a404aa362328ab4aa880aa7d20582a7ba5cf9a56249dac0c1cdbacf42368a08821e22038a58a9daaa290a801807f911728552d5faa822918b1f11f36a89326d3aa152b3ea1de95a79f64213729f21f292fe2a1a5a895a0ed2d042665ac0c1e13255a9cf42c76156ba1b2a7fb270aa59eaaf6a86e216ba159268521652c0c23a2a8942ccf2918a814a2a02c2ca4162cb9abd02d042dbb2a5a1d952f9f2c65ab6ea035ac69a47a2a8d2344274699');
INSERT INTO embedding VALUES(1,0,2,X'95291ca04395c229fa2793219ea859ac312607aa372dcead86ad8fa1482dc79c0f2fefa14fa153acbca0c5a7c024c02c1c2865aca2a8a0a90ba22ca54da3d21883a94d25f526a02c3ca8eaa60c29b6a3c595b1a8372528262aa1492a57a7f228a429d3aabb1eb027d4a9d6ab12a59dae7c23acabb1a01f2c2f283daa79ad679be2a777ac5fa60ea8cca8b0ae4021baa7e926cb28b4225dac142e161e06a5e5a2262d57293b9ab52d19ac69a6dd1bb32c741fffac012829a54cac11a680a790aca8a4a61b73a9ef2ab5a09ca442a977a83eab9fa7f5ad78a8bc9c292c2aa7d92d29a5672bb9aa0c2c4c2724a8792704ac80aead28192e792775aeb6ada42a00802caacfaa4025e7978c2ba6ae12a87ba95525c39bde9e9aaf8228961e76210cad022c50a8ed29eaab0bab22ab2324dc2f06abedacc29970a6c52802207f19baa884a3742477a78a20eb0d08aacfa87d2b272afa2cf5a5182c78add1291d288b9cc72aa822d2a9d32739a11da556aab2a7e52cbfa2fb9901961c9d4a2524255bac4fa139aaceab0da5ed2bf9a1522b85293d297caa5e264c22e0a8712c7a2d7221702d262b7ba6661f89281ca724a3aeadb01f07a994a9099f392a07b05c28008080a009a774abee29562adb204f1e8930e02deb2cd7af5a1c552edf269e28702ca524aa2893a8c319f5aafd25182731a33128162e1aa0d52e46a9ccadc1a868a802a346273ba8dd2194a9662e5f22c52f65ae8121a2a6462e37a42c9ebda6f22ccd2d95a9e92b9728aaa2e625c6a4bf2b2da42528a7a421aa5ca32f2560a0be1eb12ad22bd0267fa8dca166aa9bac3da5501dd3ad2d1fde25922e0c25392a36a76424f9a897299f9c953089a40526daa6712c882681a6262b7727532b3e2c00800730f6adeaa9a32cad28a52695a36829f491ac29c9aa0c2d7bac1d2c3baaf1a9a52cb1239ca87ba757a17125c42c14ad539f5d255fa7b0a6c42b8da80528102d59abbaa6db28732057ae4f2ca6280f2adcab1ea9c6a7c5267aaac81cc7ae702a98a0a1282dad2e2297a82024d825cda4caabf1aefd2df92a1ba96aa92e246fa6');
INSERT INTO embedding VALUES(1,0,3,X'0528c6940a28a8ad72a50b265b19dd24c0a78aa12a28edab752611ac952a792c112973a80b1a5ea848298522de05efa9ea25012968a7d9a2751ef616efa5479a42afd9a50d2a5faf6423cf15a3a8f825c0230624f9aacd209294cea1e3a59da31626c1ac5fa4b3adc1a7272026a5492664aea52b2023cd2b832c2ba1931be5a905aae226ccaea20837943a29272871aa9a2104ae0a901fad9b215326599090a980aff9aaa72ab82c3fa175235a2ab72480280a1e80adc9a942a95013a825b4a98d2636ab3fa2f3281c1fd1284c2013a6c3a6242ca2ac591f96245c19482d23ac4b2ec027b4ae54a8b8a25ca35d24392968ad64a94b2c822857a32c25919f000031292e06fe2ba926a12c6e28edaa302615254fa9bda935ac2ca94aac022ce0a4aa2e7bac06acc2ac72294f9ba1248aaea5241aa946a7e4a8b92f2c2a16281f21e6a62328c128451655a408a920b01d27c6a99aa805a7f8a45418cba91d302eac6c2a951fe2a6729132aa7c15d7abd829cfa536a138216e2841ad242a432c57a8b42bf12cb7ab30a0d29794106428bea8d429b427192cfd22261714aa96a86e9fe1ab9ba4e015d12c8e2e4cab60a4bfacf227b729cfa9132837ad6ead88a300801329a4a9a6a21ea82b2a47226a2d75296d26c2a084ad00a16a30ed2671207025302e32a910aaf12b2da0f8a4b7265a2bc8a3062c4fa7d82043abf6ad809cfa27c82c80b109ad6a2ba424b02a6fab832a5ca516afd82b0e2d239d7d1f2292a82232ad4e9e0c2c4fa989a8619c2e2cf7ad4c2a012759a553a6452f5ea413a03f2dfa2b01a7cba98b9d0fa60eae92ad00a59da80326d020dda4b39b0029482d6aaf61298d23d127fd28152ed8a1602c80af3d2a9424ef24b92e4fadfa2fbe990180932d8f2d6320482435a92bac342d912dbea6fb1d2da63aa7769d6227582ab32a192cb0ac1eac4ba7dfac9b2507a8e22a8c2c04a89b2374ab162f18add2255125f328692b7118fc215da9e42956abb4197c1ef92c1c28b12781a4212d44287d932eab3c9209a471a66f23792c8928722897a6eaa96cae51276028852171a8c42a');
INSERT INTO embedding VALUES(1,0,4,X'8228259df6260621cfa97ea67eaa13281b20e7ab3ba9891c6e28d224d8a23ba384ab4aa5301510243717c0a85522df265ea82a1766278dab1b24299d12ac44a4d821c5a2361f2e2adfa13b204daf85293d2c71a610a826233b2c7a2da9a94c229c2ca42cca22b224272641281da90bac65ade228efa4512908156c24f116609b51255d250dad2aad49289826a2b1ad289d2c6f1bbfa0fdad6a2e0ca867a4f1a4402654a61d258b296e2a2d284629422e5da911a94327142741af9d801822c62e99aeea2ec3a129233b20bb24d52e402c98aae0ad16201aa6e714e6285321cc204525249650a8412f0ea202a4f3289d2cbc1f2427632c26a991aa71a483a200801ab065a0cf29c0a745ad9e14f2ad6a26372c10a81ca7c0aaa12ff0a4531ee6a89c1b782e87ac640a789e6ba206286a253aa9d4a8f9266724f42c71a3ac22ada0a3aba31e682427a92c2b6e23caa44d20d7a8332c0c30b7a19a129f22182c672420ad98a668a9dc2bac20f0adff1ecd1c9b2394a940a7822e662836ab9720f79713a9a42a78a77524ed2aa42cd4a471a41fa9b4a018a13aab812a392a749d57a4d92a97a97f24c42a5c2b84a9fbac7daa0aae24ab52ad6b24d5a00fa41a2200802228e32c121efa2af62ce4aaefacba2f92a2442b91a841ab4f147da29ba94d2d6429dda711a24328002f631dfd2886ac01289f2b0e2b11aa1721b51e6aab0bab66aae7a696ad102c9baac72c0a276927852e8ba5cd2865acc79e0e2585aa0aa61fb176a416aacaa36f2242aae026a5a9abaa7da936ac29a80f1cfc264daca61f50a36f2e4929bfa8b9ad332999ae36a696ab43238ca81d2bfe2d7caa5027389e73ab97af622c49ac14ad0e253f2c302c6e1fd32e072dae292f98c32c2b2901801ba79e28501e68a4ebab33a8f39f632446ac4825ae254ca4942bd42a481e53aa80a60a2dc4ab782a10a82bab64aadd83242a6ba7c7a40529e4aac9aa2120102c23aeffa54fade8a8b0a83eaa97a88f30f9ac17246c270926992caca8dfabca9e7b1cea21f22cdda41a2c37a7e3a6f22ca3a374a58ca6bd2735abcaa8b0ae5828');
INSERT INTO embedding VALUES(1,0,5,X'801fe62c6329c91c19a0351a7826cba04aac542d9a8e0baa7aacb82c4e28fa29702c8b276824c8aadd2befacb02d9ca0aa2a3c2f9aa886a45f28e2a90820c5a7c41c50adc5a996a8cea82f2cf3a2952a6727142e68aad481e7a57ba6172707a576293d29269cb5a8d9ab4fae59acb5a80e1d72ace627439e08ac932c5aa7dd23c2a34ca6432de30cd82c102873a8ae29602d0e2640a41229c52730a97aa6a5a884ad94248913be2f51159f2daca5582807a4fb26b6a8a12d0f25152dbe267da3e49cdaa9a1aebf1c61258e28312a2e29b4a111ac53ad45aa9aada224a8a87e9c5f29252adca5ba252f2cb6acaa1fdfa9182dea253e2a049c59a8a5ad40a8000080207f2e169e8e307929982c8b9df91a62a44c9cb22441aeeb2982aa5f28d6a4aba49a299c25a20f0fae97ab7aab3024102c182d9d28b22897a5ad98cf27c929a3a479aecca855ac852923a581abad26faaeb2a5ac2e2922ea28838a9f28b72a56a7582d9f28c69328a7bdaa95ae5323d11594a93da08ea84c2d50adea9e192d59ae56282eab06a2b72869ace51d56a65520b7ac8caba3265d291a2511a61da82ca631a9de214da8c2a35eaff529e92ad1a74c2378a8b2ad1d2b66aaa92a0080962c08a8e0a32227272c04b07423b32c8429c0a5f7a9d72a8c20a2acaca237a5c22d2728a626281d7326ee2477acc429cf98322879a795ad158d90212fad50ad772b5324c0a89ea8d32314adbaadcaa0822d75a2049d1f2d1eabeb2c7d2af22a7924662c312613adb1293aa39a2ab728cd2c0bac18a6f52dc525b6a28bae63a820af6da9dba6362ab1a8fd25c1a19e2d8f20b124b8280fafac2dce2b4f2b48a4e3acb517611710a7cb2c4db05da9a1a977a46da6911c89263326f82436280080cb296b2cc52c60a521a6bbaa4b2d0b1c8a9e47aa8aa44b28502c27263b2955a613221c24c7a942aae8a80ea79b2cd626e2accc912598941c55269f2f1c1c389d232d13a14baa5badcca75d2790aa0a291ca82fa88ca867233a28769a0faf1daa02abcf2d172abe9ea724979a162a07a2b42c89a939209f2b5c2bcea662a8c125');
INSERT INTO embedding VALUES(1,0,6,X'10264829e12b552b351ba92903ad59ab0e96cd24a52d172941a6d6a9e0aa85ab67a813a5df2450274da09c247dacb82cc7aa639d89ade220482d6bab6b240ea1e5284b22aa2dc6abcd26bca466aae5a806a6f1a7bf1b8129c622362cc0a9e4a8da28c3ac0e9e65a4eba90a208ba74cad3da6f7273b26b7263f97b0ac8cae0820ef17a72478a89d21542ea12e59a3f7271e2bb32b1428bc235a1eb79805ae33ad92b1f1a7e4a1df2a5a2570a1b1201a2de72833a93629eb1aad1c5428eaa079922b1d9faa5da9242ad321f42d739e382b6aa59ca1c39e91a018aab318d8049b259f2aae2050aeb5a849a6d8acfd27cfa411a04a2af19eed25f5a6a7281f2d0080ca18eb9d0b20eca6e92c7daa62a148a1ee2b062ff727c3ad6e2ae8aa6826c7af3b28ca2830aa712239196fa56c2a52a80e2751a8d9a7d1ab552da62b59a9112c72a86ba4ef28632ca3243dabae1745a069a58daff3a4d3acc1a912ac1630fdaa0c208ea5b02d15299fad76a377259ead4e2441a27826d312332c84a4671daa2e84a852ac40a7b4acbaa2aba7042993acb01c29a2751eb79a67a3dfa8962ea022cda298a36fa9f3ae372ed916e12eb6a88ea361b04aac30ad39248d2bd72100800327b3a8eb2b751804a9382c32a4712a612c692763ab6827082f48237828fa28812d2ab111a956237c0e8f240327af2a69a9d12bff25fc27bda83eab4fad27ab17adecad3ea11c1cb3a6f12e6caccd2466237eab29296a1780a21384e49c8127bda66128041f182c92a854278c2aad2938ac1d9758abfb270a2b6120cbab9fa55f29f62bf1a04da925a8f0284fa91f29abae2bad32a53e9de22bd71bff2172a8a3245f1f7e263e2dc1241ba6c1a8c0abd2264625592c85a0da2a3d2dab250080df999a28592a371b622c59b01f27fe2c47ae9027c62d56a7b8a0ed2c451f65a9b3a223a49dac72a8afa59798d42b2da418ac331c7e2c1ba8ce2c9d9eada154272d2a039b3c0c402d2826bc2dd0a1bba7b59c2fa5a5271722d2a8492884b1be262c1cbea8c214d82608252b303f287525ada138a9b5ab19298a2343ae7fab912c');
INSERT INTO embedding VALUES(1,0,7,X'1319e821371e7a2c6220839fac249128f7aec3a4daa9822c50236d1f002c7ba9bb2605af26a855ac25a80eaca826c121072c1526c69e412eccab722f91a9bca85d2476264f9e219e4193b22619a60c27032573aece272e200aa07d2c18ab8aae34a9e91ac4a465201a1e5381f7a3a9a67ea90a1b081e3a271b2b0d265fae7725b12d65a8e21d7d28a422bfab102e61a4bf2bb61c41a50ba8cc247b29ca24fba8ed1fef242ca8a9a9f6adca281d27c7a4ba2c32a76827b59da329b39d822bab298029c2229ba46ea640a10bab45ad9c27291eda2120a0422b6d2376afdbadfe2d45296820e51743a9aa248fa851991608b6a2b3ac7b25ac21c122759fc8aa0080b7afcf2fdf2c7c28c329d5288dac43aac920a3202e30e02984292d2b89a498216f21012e7ba9ec9be02100904b2d35a3b8ae19ac641f9ca752ab58247a2983a5fea07ea8e2ac6f268fa7f925f9ac1395a2a4b42827265d2f9129a02b4ea858a3dea962a890ad3d2a2aa545271b2c9129862c90a9bd2118ad4aa91d2a0ba5c2af89a9e4aa0c14e425b029088bfc24da2bbca9301c1d232ca940aa8e24172022237d26bcaf3527f127e928baad64a4e829d1a6993008a800aa012cec2c002300001da54b26cba6eb29471c1da147ae42adc125622270a54ca58216432552a9f52a35a87fb02f2753a108aca9a3ccb031293bac5f2c81a9c6a5a3a576acc6aad82ac3a7ec213d2492262130462b3aa25b2944300f135e28ee990eacd12b272ba8acc31d112dd52c49ac79add2a463a310aa742c849ff6aa3c285a2eac296b2c51232fac1f1ea29abaaa473051a9cd8ee6ad74ab211a8e283127ca2d0b1e3eacc92481a738ab179d30a05f2d00aef028dbac2a11ca2792a62697caa751a5dd180080bcad6cac3e29262679aaab0d5c26741dd5aa1c2c27216b11012d8b983ca71aaba52c7c278aa9db2a462c142844116da4429c18ad44a18e2d44a90f294cad132539117a221b2fada4222d73a643a5d4accaa55f2637ab7929aa2b16acc7a856a5e621e52c842b69acb52ee32309a8a8255724049bd428f0a41a207b2af3aaa628');
INSERT INTO embedding VALUES(1,0,8,X'3d932a92872bc025312be5290528a8a230a56caab71c2daee8a802a84fa76fa62e2656a814aa82a7b52bfc28832d2fa980268423cea70aae04a30faea41c073014abccaf70a92caa8228c4ad6f21c7287a21112c7700692b1625fb28272ddc21899e252a8f1da525e8a737a67928f7abd6aae60c9cac5730a627d029f726a6a69729bda1bbac2aa84595d7a131ac80a7272bac220d9eb22c682ba8aa5728c52b9cade5281c2b282e54aa6fa2ee22c8a94724c8a98ca98dad9daae2a9052c1f274baad1a33daa5d20aeaae3ab35a045addbac1127cda91ca03523bd274c2c8d2423a87eaadaa74aacdc1c07ac2f2ad89d6da6320fa329682c63ad5321ea270080d5a69e28fb2ca7a7de249988c7ab8aa25394402497a5182c73a0352c01a7cca9092928a4392d20ac6428462f6dac5aa7c0a84522a2aa6724f92c66aaae2d8da06d2987a1c51c379d64a817ac35a56ca9a9191f28ff286f1d40ad8aa8b9a8c6250d2cf6a8882125295625cd2a73a58a9e61a9691c5621422d8fab34a761aba39db9a86d28fba72a984a275ea96cad8328cd28491236a7d2a6e82fbe24f425bd27ee29c9a6eb2d722759a754a610ad7628cf29b72c70aa1aac221b40220aaf008035a995ab722a2799622947292a29a0a6f7252ca8352269a9d42d9aa91bafef2ae91e9131f72cc72cc6a83d29af1756215822139f1e2e17ac88a9b0188125abae6329a0aca7acefabe02855ab14a9332df9ae9aacd9a59121bd24622aadb0912990a8fc2cca2b07a6e22888a9c920ad1a079de1a42a2d8a2b5e2d1d1e01a6c99fd82d9c2b71ac1ca86e98b1a319a3f420bb29479f4930a722369c45ab8c9db52a2615f3a9a624622c0e299a2b3c29ae25d527162c40ac5a9e01a8f42b0f2e0080492cd7a8b32881abf7aa852b11304e1ce1a9b0271aa9452b95aeb3aec621dfab512c511179a1921ae29f33288f2a33a0e4a46aa6db2dd32874a00d2d3c237eac88a45eac32b08b2809a2dca72922392dd7a9a226d12a7fa74b9baca67ca7de2614a2c6a94225402e51ae2a015daa55a9c3a1b1aa969c57a6de9b45a9372cd192');
INSERT INTO embedding VALUES(1,0,9,X'7ea829a513a7c62b53a4b22b22a8312a9e2859a9fa2c06ac94278eac2e24edad382c022d08aed1ada022af90282b0ba50ca03527e3a6d1a60e2a5babb127de2efea811a394a589a58da599a13f302029059e5425f4294429962124ab9823afa32c2b05a80aa6602c65acea27ed292cb04223fcac2dab252c38aa14a43ea5fa9d66b01ca686aa0e30f82b78232322092b07238c2bce236525032b51abd3ac7a9f591c2827a1a20f29d2a405a814a78c1ceb2c5b27bc21802875245daccaaccd21281e0aa7c4abf922a8a27c9f0c9cd5adaf18102b58a5689d602369a6da1dd5a6aaa9dfad8029f3a8852905a9c8a697240baa0aa8181de1a486af5aa6da2500004ca7c725232dd42b35288ca1a7a8c2a8a61727a23da96629ceae172d7aa0f3af7424c5231d22a7aa08a9bd2754adae2622aee8255a2da725952801a62426b02a202a7b284aaecf1f26aedaa31b2041a824ab9d2863a9962cfbad9dabd9a28394352f7c1a4626da2c0e24ce2cabaafb22d5ab0e2c992c9ba749a4e9a6f2aa34252526b42894ad25a162a8652cea2973263aa35ba5402c2720502b022ade24b01d3d9bc9a76c9d822e7b239625b218f626152f5d26552254a1422dfda927ae00804322f82ae714ed2c092cbc2987a441293620a6a517aca2a8402de5a76bad3c1d6a28c42efba44f256da74d268a25ca2a81213d279526c82994a90a21ee2c20adffa553a453ac9e9fd227122b7620f12c93ac40a67d29d52ef6a8fca9edabbba91128109ddaaa982942ae9ca8f0a6b02567a8e817a72e93a774aa87a599ad9fac682a3128d42c47a86eaa16a728314b2ca8287daaeb2d369e14293eac31a720a8032b17aa5aab279e27acd5a42a2b3a1ccd9c4e2c58aa042d1b2e6f2552300080c929ee9d38257d2d471ec52a17a49121dfa86822012a142d6dacd7a3d7ac72a80f0dc125a1a3b11f27257a2d402cb2af141ff2285c2b41a2932794ae102b83a81ea58ca335a97b2187ae34261ca78392f8ac10ae23a04e20aaac18180aad7a287ea93e2940a60b956628d4a9dda6582bc127ad2983280b28eba4d2a436aa22a4');
INSERT INTO embedding VALUES(1,0,10,X'c1a927a5f02b772df32aa02e7a2828abdf28b32034aeb816eaa4a624762c0d995629e6ab372b29228bad122a662d6529d22bd62e7a2cc9ac2a21e9a1fca99f2935a6fbac23a6bd29792a42a9769f672ac72d342e0f287ba927ab05a7a12d5fac942c9e2db928041f5d9904967a1eb6a28dae6f28e22e302d8baff223ce25e21bc0950ca6ffaeee2c352cbc2515b1522ad72dc12c91ab9a29b41dfeacb02a55a895ac1ea4cc9c28a97898b7a0952cc72931a00baa7b2a598997a9fc2a5ba511ac5baa6aab5ca5dc24271f302fa225892d5c1c95a835af7aa509a6a7acdeac7d2b02972da73e287aa84f2f06269baa0c2cc9222423de25feaca1adbfa1adab000065aa40a60e21962f3829c52056a4b01e812ccf257692aea4fda359a25429f59c12ac1fa5341df921f7aeef273621ee96e8091eac0c2e36a50624969fd428a925cc27d8a5c6a80d244b220217bda83728d11a68a173a217a21d1f761d2e286b2c0e2848ab5888bc1c8aa873a395ad231e869d6a1f34a0f41d7f2c86abb328fdb1fdaed0a5652acfac26a072aceb29432752a818acb2220a98c92911abf998d6ac4230e6242e2c2b9d51280bab3dac379ce2a469912caf7eaa3c2d4926262400808d28c2abd9a5f425d81e9eaf609fa2a862a3b929ed1008aab3258aa62e1c3bac9424ed2fb5286927b8a06f2d47aacaaafa288a255d26722e919474a88a9c48aac9a0dfae452b3f2c17a5aba1d4ad31a38c2569ac00232d2d9aa0ea280dac5e2a0dac622b8d183cabffa78d28cca6022b951e41ad5595982c07abd92845aa17abc7a96caaa6ab51aca8a621a22baba2a878084e1bcbaca3a598a19eacbe23102258a40f258ea8c825b0a345a90d2cf123c42557a23e3099ac29ad042de62400804b2483ac5fa62f28a92c48af4025b8a13424299d3129b8931f2602aa6d2bee264a2baa293ca448a27c29f224da2c6015872dc0245f27eb2ad92aff290e2cda220aa8452032a9d2acfa2c3aa8aaa99d16a92036a99724cca7a1a661255ca6819650a71a29e5a95ca90c29bf234c26f79f3bac26a3aa21cb2396270b27d1a3299b');
INSERT INTO embedding VALUES(1,0,11,X'2f2ef327d6229f243fab9625fc2444ad8dad321f401fce9b2d1c33244facccaa9c2585a5e72807ac56a8a9a3392abb1e03285c1d1eaace26032826a776a3292e64a60ca8ac1f4f24d7a605246993192c7625d22062a9c12223a8ada26325aeaec3207a2cb62d4b2acba6e0a5cd9900b070a5092aeb220ea79ba75aab40ad0927e319a1a44eabbea76b27e9a71fa4a12cd22e6725ff20e9a9881603abbdadd8a8dcaae021bd2d0d9e861dcfa429a6752dfc2abba504221b235da82aa53822d72c2314f4274496e625e718d3a13526cca839aa582b59ad941fbaa8101e0ea92b24d51acba8819dd0a209a8b820a3140a2d122d9e28fb2a9ca054ae86ab0fa800809ba6b329b22acf2bb730fcaaed1a3827c529482a672852a96da7d025692c77aa15942f241ea71aa8faa459a85ea9b82a4ead192c9229882a402df0171c2bc6293928df2180a888a506a256ab4d2344a9e5a42923cb2cb62063ac181ec0a48b2d7fa6f32aefabe524cc204228402704ac46a733a78aa72b2e142b1b2a8520ed29afacd8a449ad74a75c2f7d251bace02aea25b7adb1a3cf19422bc2aa8aa8c82c8aad11aaa6ac95a154286228f7a61faa3f26e429d923cdada6a7e4909cab000076a8443132a6502d9c2cbea5c224489d9c257529d4aec4289e1b102d16aae6a96d2ea925d92c92a981a7981eacad95ac881e272bdd1c6aa0aead182c44236eaa472460262aaac4a8492a48297ba60518862fdaaadba31c2e0eacb2a9cba0b529a42cad1e4ea66395b8acc1a9132854abac2b12ac61a32b21a328e42d5bada02f1910841b332003984cad532db2ab5428f52a27abf0aadf298f30372bdd2ba8a6ffaa11ad9895c429cda5a628ab2470289b25e72dcc2b7a248c264ea966270080cfa7cb27fba5c9a8cc2cda1c61300a283dacfa2ba82665234f2e57a9b42a31a3532c892a87ae64ad1f288a9a042377a003aca019fa1c92295ca5d121419cc7ac6aa41fad5825c4aae4aefaa12fa4b5909faf20ab42296724b42cbd243eb22ea5e6a85aa4e594321f0e2e28a836297a2817274ca5f9a038a773ac4418a7a8f1aa');
INSERT INTO embedding VALUES(1,0,12,X'672e03a346a523274ba927a865ad102d07ace1aa56ab0da6c52ad8a71baaff2482ae50ab64243d25669e9129cda673a5fa2a962c74282e24182463ad8227032862a94d25492d232862a3cfa27728b9a76429cca90f9c7729c02ad32924a4a80faf2f852bea2d002ebda7bf2119a67ba8fc240426d599aa28fa2e662800ac47ac6829d2a5b5a8f4aedea15f2988287522b92936a54b226da784295b9b40a486aba4aaa4abf823392a70a3bda9d2a9a02b742812a98526e22c61a5352d7aab43284aab84a46eacfd2a86a3cd2ce028c4a6c0a81d25eda38d2c9caa72a8922ba89bd6231123289f411e30a664a6321cbd2a991a0ea09b1ffb21eea944a51fa20080fbac7d2c26a4342bf4aa221d0ba9f62a3e1d202c1a290bac7da320adb29d8d911a2d5eaca023f3a023aae130c226a72be1a68d9c68a2c1a590a14e26ed1f5f2e8a299fa5b1a821a482a738ae78ac542ced9c092a6f2dee9f14a7e5283e23412cb02b16a9fda82d2acdb05e2d6fa329a98b9c85a52ca7cda33022012db1261baa6aac91ad981defa678abff2a91a23da9ec2cb1a8c8a9c0ad051bc428e92e152a0e23192969a6d5a697312d22172746ad9e8e972423acf81b7fa924afeeab000077ab5f2c8ca8a01a8b9b4820fd2ea5a978a8492c312423242d302e19eaaccf25df2cadadc625e7a470ab379d49a69e2d0aa7312d68ad3d2c8bad97a4a1ab01a8dfa43a244b1c829afc254822bea86d2a589a0ba90029472dc0a7860da22b201b6baaada50b2ea52c7aa7822cd1a5901570a3ce2a10258c26e224b22d57a5522c5b2dc3a74ba938a89daa7f206d9feba0f2a8e9aa8aa52a2d2b2109a6112c0fa173abd5a5352c279c852d24a7a42a63a2a529562d01aa8b2c4d2deeabab1e00803b247d28ef9ee39ab8265bac022b6a3066adfc26b89ebc2791aa5ba4a0a659a146a304a530aa78a698a332a0abac151f48a28da0f32b902d7b2653a4b62c07ae0ca781a3699f861281206d2d4d2ac5a11ca80db0edace62a0697e5a4d6acb4a65e266baff59a10a60ba5642b222a36a3b121608400ad4a2eb0a64bb08dab0f9f');
CREATE TABLE predictor (
    id         INTEGER PRIMARY KEY,
    uuid       BLOB    NOT NULL UNIQUE,
    kind       TEXT    NOT NULL CHECK (kind IN ('zero-shot', 'head', 'lora', 'alora', 'judge', 'combined')),
    model      INTEGER NOT NULL REFERENCES model (id),
    adapter    INTEGER REFERENCES adapter (id),
    revision   INTEGER NOT NULL REFERENCES task_revision (id),
    prompt     BLOB,
    labels     TEXT    NOT NULL,
    settings   TEXT    NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;
INSERT INTO predictor VALUES(1,X'01a201054a4071ceba56fccbdd7b84c3','zero-shot',1,NULL,2,NULL,'["clickbait","fine"]','{"anchors":[[0.013719514,0.00691095,0.0476804,0.023037367,0.014552824,-0.013670882,0.025210593,-0.01707415,-0.009622984,-0.018200977,0.0016733934,0.016209777,-0.0133074345,-0.017170643,-0.07603523,-0.012786986,0.008340266,-0.041513547,-0.023024576,-0.007226106,0.00066382857,-0.019531583,0.0061058095,0.0164779,-0.0058561936,0.013660426,-0.00077100424,-0.0014863191,-0.018502258,-0.056536876,-0.005313188,0.050870705,0.0009361701,-0.023242783,0.0062372084,-0.017552087,0.022270652,0.026305465,0.029625809,-0.022361055,0.022314228,-0.03660041,0.024239138,-0.011191043,-0.04150763,0.034191985,-0.012248546,-0.003574004,0.066692375,-0.027215313,-0.03503242,0.0026745726,-0.013468645,-0.05482282,-0.021174885,-0.03805596,0.0060313023,0.031088699,0.019236576,0.025679726,0.045014795,0.0044835983,-0.051161095,0.0427642,0.031002302,-0.01142507,0.0023248263,-0.032197945,-0.018142989,0.016316006,0.020678125,0.043205068,0.035794586,0.022993777,0.02769943,-0.01602106,0.023650741,0.00820926,0.037302997,-0.002242717,-0.029046346,-0.011577117,-0.0010571277,0.0064760926,0.013663646,0.0045364164,-0.0012298853,-0.042054668,0.0037765782,-0.016910784,-0.009628884,-0.022946015,0.019226948,0.028237872,-0.02393556,0.027700141,-0.045499578,-0.005602249,-0.04783694,0.030025065,-0.027890867,0.018532798,-0.013779635,0.002622786,0.02246005,-0.029715216,0.02011879,0.031265486,0.010762501,-0.007410562,0.0027186451,0.003429562,0.004242533,0.02678248,-0.019449048,-0.00059697125,0.024568968,-0.00005489774,-0.0046868,-0.009943073,-0.0062457398,0.0010655951,-0.0052597104,0.0027130311,0.0041254656,-0.028747682,-0.00041857222,-3.2162844e-33,-0.0037058322,0.022571992,0.00409717,0.015139336,0.044929553,0.0043266853,-0.03477317,0.0062713837,0.028611733,0.044448182,0.05769112,-0.026650047,-0.03261033,-0.017381707,0.025647447,-0.016712507,-0.022286478,0.033967774,-0.025724515,-0.036557816,-0.0048319204,0.004664963,-0.0048867674,-0.0060978527,-0.018688887,0.021707833,0.0059707672,0.017577816,0.0035225246,0.009994669,0.00061466964,0.0052058236,-0.010196748,-0.018088507,-0.013584106,0.016689263,0.011325477,-0.042604502,-0.010442574,0.0016990706,-0.058187872,-0.024022559,-0.015039435,0.0016968846,-0.016701639,0.0067941505,0.017267969,0.010661365,-0.07081874,0.038783208,-0.013937771,0.023581298,0.048623335,0.03448699,-0.028980825,-0.000086350716,0.04560796,-0.03506877,0.034243535,-0.010856222,0.006870694,0.008869107,-0.017043145,-0.014861643,-0.052353993,0.0093785655,0.029156268,-0.012519445,-0.023461621,0.035803463,-0.010206701,-0.014102479,-0.0100602,-0.0023419326,-0.044179063,-0.011545161,-0.058928028,-0.027617957,0.021020764,-0.012484789,0.03154524,-0.019439403,-0.0035658693,0.025041355,0.014667446,-0.022058453,0.043185033,-0.03089534,-0.019486185,0.056155067,0.01940891,0.00834771,0.03389768,-0.022808708,-0.02716105,1.5273636e-33,-0.041477486,-0.020954665,0.0012751361,0.0451481,-0.016169038,-0.015747633,0.004909876,-0.019197972,0.01763278,-0.024829188,0.00862499,0.0037073751,-0.022719316,0.006244321,-0.007183254,-0.0063548265,0.02491187,0.01015565,-0.024594054,-0.018662132,-0.0012147708,0.038130302,-0.054014392,0.058688257,-0.027748037,0.031245174,0.022009073,0.02841694,-0.023996908,-0.010076989,-0.038359314,0.004297631,-0.027272569,-0.017569533,-0.0059585636,0.018855166,0.026295513,-0.0019604662,-0.04097245,-0.0017009503,0.038375042,0.017472468,0.0052237012,-0.009715184,-0.011249576,-0.009159598,0.037620082,0.010790062,-0.010268912,0.058293097,0.016142813,-0.038092997,0.008675297,0.008084876,-0.018076345,0.04109893,0.027093224,-0.00022886545,0.033626463,0.05354645,0.014160022,0.051473126,-0.036637425,0.042157065,0.040484764,-0.02254944,-0.039311465,0.0063712145,0.024441965,-0.004266326,0.03919565,-0.023128416,-0.04144616,-0.03912905,-0.01523059,0.010108498,0.0199322,0.019571606,-0.020621143,-0.024071744,0.015659217,-0.038124185,0.011753308,0.02232939,0.019580025,0.004932003,0.051289864,-0.006603377,0.008171728,0.025630876,-0.01719043,0.023249771,-0.018760314,0.014470126,-0.009482366,-2.0672307e-8,-0.04110463,-0.009095421,0.02132836,0.008199908,0.0295584,-0.032133892,0.04504127,0.012695326,-0.046827767,-0.011467026,0.004288333,0.02667803,0.01123802,0.025884293,0.027251678,-0.00027541304,-0.019855672,-0.01705442,-0.061050456,0.028761858,-0.01971084,-0.00019003265,0.0139517505,0.0069138794,0.012899221,-0.020922676,-0.014590229,0.060134526,0.03528347,0.008318895,-0.020061135,0.00041097077,0.02485535,0.020812731,-0.022005718,0.0074694348,0.007918664,-0.004823694,0.0058070784,0.0046015223,-0.056674518,-0.0442749,-0.030817531,0.031583972,-0.08374255,-0.019871896,-0.004423527,0.0056317314,-0.023114791,0.017311132,0.0025329094,0.031111997,0.03273371,0.02393766,0.050561953,-0.037686463,0.012278097,0.0071082357,0.007812479,0.026451573,0.053263623,0.03808087,-0.009562144,0.022745008],[0.008897746,0.021313634,0.022670228,0.007855094,-0.0724423,0.004474285,-0.020439876,-0.021089546,-0.016156368,0.013207578,0.015711736,-0.011623093,-0.0030283805,0.009205085,0.00511329,-0.019001294,0.031175954,-0.012240496,-0.006702398,-0.038098905,-0.04253626,-0.010474117,0.0024774265,0.014056437,0.0009583208,0.014361493,0.0072493483,-0.039056752,0.02551109,-0.0019719247,-0.027893206,0.014552379,0.028866729,0.012875533,0.0058779414,0.029666064,0.01211058,-0.017161507,-0.03892111,0.05756968,-0.027430598,-0.008234464,-0.015111517,0.021826472,-0.010279222,-0.006857999,0.0072053275,-0.013128264,0.065228075,0.042460106,0.036612496,-0.016363174,-0.025206262,-0.033725653,-0.009844022,0.03897199,-0.05258041,0.004766701,-0.0023513483,0.02479331,-0.019172464,-0.023047276,-0.058923148,0.02744271,-0.04314897,0.0037674892,-0.05387661,0.011265662,-0.013152666,0.001685109,-0.030830692,0.015849233,0.06476302,0.005695353,0.013651182,-0.026616769,0.03338701,-0.018688142,0.017701535,-0.025741447,-0.048490413,-0.0353243,-0.00012186682,-0.0019124288,0.008717974,-0.004525489,-0.004411449,0.023833236,0.009518809,-0.01842177,0.016954888,0.008267622,-0.07792699,0.005731516,-0.05564391,0.02291396,0.006129573,0.002087555,-0.02074922,0.048962895,0.025410622,0.02083365,0.021572981,-0.00006148462,-0.05016425,-0.0018860684,-0.02803492,0.013970859,-0.01173478,-0.0066893483,-0.01630154,0.022727167,0.009425372,-0.009526536,-0.015353288,0.024169985,0.013852795,0.0105301915,0.04513366,0.04865323,0.01700735,0.0091587985,0.025217935,-0.0032982228,-0.052122973,0.0053158784,-0.0014253682,-2.5252188e-33,-0.014392888,0.028464839,0.008444872,0.004221059,0.006061701,-0.0050912285,0.011581758,0.002950823,-0.025859423,0.014738096,0.03514614,-0.015694678,0.010849259,-0.0019116905,-0.0068693277,-0.01467027,-0.025531987,0.033276394,0.008791383,-0.006635748,-0.049469773,-0.010700492,-0.0072958875,0.033783916,-0.03393642,-0.047356974,0.033820193,-0.008013963,0.07255295,-0.002509718,-0.01005258,0.012800727,0.0015073069,-0.03459097,-0.012118151,0.045367163,0.010954071,-0.01690984,0.020752082,-0.021751735,-0.033701643,-0.004311844,-0.012851747,-0.03206951,0.004528766,0.00827796,0.03858865,-0.0072709303,0.0065368493,-0.01272846,-0.042983416,0.010370043,-0.04008179,0.03726539,-0.043772392,-0.02172514,0.01059963,0.032855168,-0.00009237183,0.008118733,0.07523898,0.0060202624,0.018188471,0.0022469664,-0.05585239,-0.005844361,0.005548768,-0.0029133835,0.0271018,0.01487438,-0.016049905,0.019424101,0.03126454,-0.02339219,0.014183359,0.006614116,0.04448687,-0.022085546,0.047517434,0.018580163,0.03285215,0.024880234,0.02355554,0.030205444,0.04030095,-0.020784996,-0.026104482,-0.025470555,-0.022126071,0.00682305,-0.047603637,-0.02677531,0.0031016276,0.009591543,0.00755643,3.3968853e-34,0.033222523,0.011746094,-0.01896355,0.033019435,0.023629047,0.008866355,-0.058534462,0.033455946,0.035561696,0.027790401,-0.038830046,0.046180103,0.019322682,0.008162621,-0.0062115956,-0.044257224,0.005447468,0.013978785,0.026568301,0.00064915407,0.0018269215,0.06298809,-0.0222288,-0.0035306239,0.00068702037,0.0017879487,-0.021421354,0.018241286,-0.06579918,0.019827817,-0.049298864,-0.04571794,-0.015120285,0.013511973,-0.016892213,0.014518935,0.024751736,0.0132487975,-0.023803465,0.0671118,0.02173242,-0.05353999,0.045065977,0.021367755,-0.03368719,0.0044881757,0.006145101,0.0034193608,0.009403594,0.02531974,-0.012305225,0.016922008,-0.006899041,-0.01742713,-0.026346074,-0.007715048,-0.008134742,-0.04537518,-0.013304367,0.019515652,-0.02758967,0.01875643,-0.06218446,0.05353867,0.01692183,0.017892735,0.014123595,0.008643937,-0.022830335,0.036502905,-0.017788129,-0.0008665435,-0.017807104,-0.042344842,-0.016299888,0.022562906,0.057013426,-0.0018187566,-0.005108635,0.018128708,-0.0043761428,-0.029438566,0.007789745,-0.0031068646,-0.01112213,-0.021047872,0.030312482,-0.018289775,-0.02542629,0.05240771,0.020145666,0.011102779,0.011118191,-0.0006815181,-0.0028797586,-1.8563268e-8,0.031016298,0.00026221247,0.0133451,-0.0037184502,0.010589946,-0.051861122,0.023865929,0.044836596,-0.013013687,0.04748016,0.013771125,0.00023442582,-0.017386507,-0.0012004338,0.0061942847,0.002094281,0.020248836,0.023834893,-0.036022447,-0.01571383,-0.0061943717,-0.004939153,0.051729877,-0.00015978748,-0.022964858,-0.008328187,0.008106834,0.048086353,-0.008866499,0.022922989,-0.0003252856,0.033666223,-0.002471473,-0.01759469,-0.014456026,-0.07029078,-0.07287338,0.021261612,-0.0036077313,0.029103732,-0.03660728,-0.025924403,-0.0011285786,-0.007366688,-0.009572409,0.04099783,-0.030692037,0.010714043,-0.0015563872,0.029728388,-0.0051416545,0.001752829,0.016373482,-0.040499482,-0.0017678463,0.04329125,0.012916593,0.013359002,0.033230487,0.021888342,-0.018307632,-0.047451913,-0.03693149,-0.024494227]],"calibration":{"temperature":0.035856068,"bias":[0.0,0.03524962],"shares":[0.2,0.8]},"shares_from":"task"}',1795313453632);
CREATE TABLE prediction (
    predictor     INTEGER NOT NULL REFERENCES predictor (id),
    item          INTEGER NOT NULL REFERENCES item (id),
    probabilities BLOB    NOT NULL,
    PRIMARY KEY (predictor, item)
) STRICT, WITHOUT ROWID;
INSERT INTO prediction VALUES(1,1,X'74843b3f18f7883e');
INSERT INTO prediction VALUES(1,2,X'efe1863cf0c87b3f');
INSERT INTO prediction VALUES(1,3,X'17f7883e74843b3f');
INSERT INTO prediction VALUES(1,4,X'e8b2463b4d397f3f');
INSERT INTO prediction VALUES(1,5,X'ec44093ec5ae5d3f');
INSERT INTO prediction VALUES(1,6,X'ac20f43dea7b613f');
INSERT INTO prediction VALUES(1,7,X'1068543fbc5f2e3e');
INSERT INTO prediction VALUES(1,8,X'080d3b3ebf3c513f');
INSERT INTO prediction VALUES(1,9,X'6ae3083dca71773f');
INSERT INTO prediction VALUES(1,10,X'f3629e3ce90c7b3f');
INSERT INTO prediction VALUES(1,11,X'4cfca83b07ae7e3f');
INSERT INTO prediction VALUES(1,12,X'42456f3eb02e443f');
CREATE TABLE round (
    id         INTEGER PRIMARY KEY,
    uuid       BLOB    NOT NULL UNIQUE,
    number     INTEGER NOT NULL UNIQUE,
    strategy   TEXT    NOT NULL,
    budget     INTEGER NOT NULL,
    seed       INTEGER NOT NULL,
    predictor  INTEGER REFERENCES predictor (id) CHECK ((predictor IS NULL) = (number = 0)),
    note       TEXT,
    created_ms INTEGER NOT NULL,
    closed_ms  INTEGER
) STRICT;
INSERT INTO round VALUES(1,X'01a201054a7171089bcd307787800f25',1,'hybrid',10,1,1,'only 7 of 10 cases: the pool has no more open items',1795313453681,NULL);
CREATE TABLE label_case (
    id         INTEGER PRIMARY KEY,
    uuid       BLOB    NOT NULL UNIQUE,
    round      INTEGER NOT NULL REFERENCES round (id),
    position   INTEGER NOT NULL,
    item       INTEGER NOT NULL REFERENCES item (id),
    split      TEXT    NOT NULL CHECK (split IN ('train', 'eval', 'audit')),
    reason     TEXT    NOT NULL,
    partner    INTEGER REFERENCES item (id),
    similarity REAL,
    margin     REAL    NOT NULL,
    inclusion  REAL,
    overlap    INTEGER NOT NULL DEFAULT 1,
    withdrawn_ms INTEGER,
    UNIQUE (round, position)
) STRICT;
INSERT INTO label_case VALUES(1,X'01a201054a7171089bcd3078d389741c',1,0,6,'train','medoid',1,0.097799271345138549804,0.76159405708312988281,NULL,1,NULL);
INSERT INTO label_case VALUES(2,X'01a201054a7171089bcd30794d96b011',1,1,12,'train','confident-rare',7,0.081989742815494537353,0.5326747894287109375,NULL,1,NULL);
INSERT INTO label_case VALUES(3,X'01a201054a7171089bcd307ae2c1bf1e',1,2,5,'eval','near-boundary',7,0.053258825093507766723,0.7318960428237915039,NULL,2,NULL);
INSERT INTO label_case VALUES(4,X'01a201054a7171089bcd307b4c3a301f',1,3,8,'train','confident-rare',1,0.034222193062305450439,0.63466626405715942382,NULL,1,NULL);
INSERT INTO label_case VALUES(5,X'01a201054a7171089bcd307c0fc07b84',1,4,9,'train','medoid',1,0.023125777021050453186,0.93316000699996948242,NULL,2,NULL);
INSERT INTO label_case VALUES(6,X'01a201054a7171089bcd307dc9a12a11',1,5,10,'train','near-boundary',1,0.12531398236751556396,0.96133142709732055664,NULL,1,NULL);
INSERT INTO label_case VALUES(7,X'01a201054a7171089bcd307e572da4c3',1,6,11,'train','near-boundary',7,0.13270801305770874023,0.98968589305877685546,NULL,1,NULL);
CREATE TABLE lease (
    label_case INTEGER NOT NULL REFERENCES label_case (id),
    expert     INTEGER NOT NULL REFERENCES expert (id),
    session    INTEGER NOT NULL REFERENCES session (id),
    shown_ms   INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (label_case, expert)
) STRICT, WITHOUT ROWID;
CREATE TABLE reveal (
    expert INTEGER NOT NULL REFERENCES expert (id),
    item   INTEGER NOT NULL REFERENCES item (id),
    at_ms  INTEGER NOT NULL,
    PRIMARY KEY (expert, item)
) STRICT, WITHOUT ROWID;
CREATE TABLE draft (
    expert INTEGER NOT NULL REFERENCES expert (id),
    item   INTEGER NOT NULL REFERENCES item (id),
    text   TEXT    NOT NULL,
    PRIMARY KEY (expert, item)
) STRICT, WITHOUT ROWID;
CREATE TABLE label_event (
    id            INTEGER PRIMARY KEY,
    uuid          BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    lamport       INTEGER NOT NULL CHECK (lamport > 0),
    session       INTEGER NOT NULL REFERENCES session (id),
    seq           INTEGER NOT NULL CHECK (seq > 0),
    expert        INTEGER NOT NULL REFERENCES expert (id),
    item          INTEGER NOT NULL REFERENCES item (id),
    label_case    INTEGER REFERENCES label_case (id),
    action        TEXT    NOT NULL CHECK (action IN
                      ('set', 'retract', 'restore', 'skip', 'flag', 'unflag', 'note', 'adjudicate')),
    target        BLOB    CHECK (target IS NULL OR length(target) = 16),
    label         TEXT    CHECK ((action IN ('set', 'adjudicate')) = (label IS NOT NULL)),
    confidence    INTEGER CHECK (confidence BETWEEN 1 AND 3),
    note          TEXT,
    revision      INTEGER NOT NULL REFERENCES task_revision (id),
    seen_prelabel TEXT,
    revealed      INTEGER NOT NULL CHECK (revealed IN (0, 1)),
    duration_ms   INTEGER,
    at_ms         INTEGER NOT NULL,
    UNIQUE (session, seq)
) STRICT;
INSERT INTO label_event VALUES(1,X'01a20104e209779ea2e466a687b32ad8',1,2,1,1,1,NULL,'set',NULL,'clickbait',NULL,'promises what it does not say',1,NULL,0,NULL,1795313426953);
INSERT INTO label_event VALUES(2,X'01a20104e226764fb8babe81276325c6',2,3,1,1,2,NULL,'set',NULL,'fine',NULL,NULL,1,NULL,0,NULL,1795313426982);
INSERT INTO label_event VALUES(3,X'01a20104e240743c95ea2d1ddd4d7679',3,4,1,1,3,NULL,'set',NULL,'fine',NULL,NULL,1,NULL,0,NULL,1795313427008);
INSERT INTO label_event VALUES(4,X'01a20104e25b74c9b1b57e89d4278611',4,5,1,1,3,NULL,'set',NULL,'clickbait',NULL,NULL,1,NULL,0,NULL,1795313427035);
INSERT INTO label_event VALUES(5,X'01a20104e26f720db31bee54be5f832a',5,6,1,2,4,NULL,'set',NULL,'fine',NULL,'naïve, – but fine',1,NULL,0,NULL,1795313427055);
INSERT INTO label_event VALUES(6,X'01a20104e280739fb6e012057fdb7a27',6,7,1,2,1,NULL,'set',NULL,'fine',NULL,NULL,1,NULL,0,NULL,1795313427072);
INSERT INTO label_event VALUES(7,X'01a20104e28e75aba91aeee09333d62d',7,8,1,2,2,NULL,'set',NULL,'fine',NULL,NULL,1,NULL,0,NULL,1795313427086);
INSERT INTO label_event VALUES(8,X'01a20104e2bc744a9cf3a9e88610b41f',8,10,1,1,7,NULL,'set',NULL,'clickbait',NULL,NULL,2,NULL,0,NULL,1795313427132);
INSERT INTO label_event VALUES(9,X'01a201054ae8769aa0ed0fa251b052d9',9,12,1,1,6,1,'set',NULL,'clickbait',NULL,NULL,2,NULL,0,102,1795313453800);
INSERT INTO label_event VALUES(10,X'01a201054b537323acd44f2c07375dea',10,14,1,1,12,2,'set',NULL,'fine',NULL,NULL,2,NULL,0,93,1795313453907);
INSERT INTO label_event VALUES(11,X'01a201054bc1741c8a43ad716770ccbd',11,16,1,1,5,3,'set',NULL,'clickbait',NULL,NULL,2,NULL,0,97,1795313454017);
INSERT INTO label_event VALUES(12,X'01a201054c2d707bafeaf6a7418a8a1e',12,18,1,1,8,4,'set',NULL,'fine',NULL,NULL,2,NULL,0,94,1795313454125);
INSERT INTO label_event VALUES(13,X'01a201054c9774ac9fd6f26513e901f0',13,20,1,2,5,3,'set',NULL,'clickbait',NULL,NULL,2,NULL,0,94,1795313454231);
INSERT INTO label_event VALUES(14,X'01a201054d0076938a8a5ddf0a22b138',14,22,1,2,9,5,'set',NULL,'fine',NULL,NULL,2,NULL,0,93,1795313454336);
INSERT INTO label_event VALUES(15,X'01a201054d6f704387c15906f69cc90e',15,24,1,2,10,6,'set',NULL,'clickbait',NULL,NULL,2,NULL,0,96,1795313454447);
INSERT INTO label_event VALUES(16,X'01a201054ddb73fab1b1fe9c36582cea',16,26,1,2,11,7,'set',NULL,'fine',NULL,NULL,2,NULL,0,93,1795313454555);
CREATE TABLE run (
    id           INTEGER PRIMARY KEY,
    uuid         BLOB    NOT NULL UNIQUE,
    kind         TEXT    NOT NULL,
    arguments    TEXT    NOT NULL,
    host         TEXT    NOT NULL,
    process      TEXT    NOT NULL,
    program      TEXT    NOT NULL,
    started_ms   INTEGER NOT NULL,
    heartbeat_ms INTEGER NOT NULL,
    progress     TEXT,
    ended_ms     INTEGER,
    outcome      TEXT CHECK (outcome IN ('done', 'failed', 'stopped', 'lost')),
    message      TEXT
) STRICT;
INSERT INTO run VALUES(1,X'01a20104e1e575b3be95d8fdd87896ce','import','ads.csv','ws1','1:1','hardcase 0.1.0',1795313426917,1795313426917,NULL,1795313426927,'done','ads.csv: 12 rows, 12 new texts, 0 duplicates');
INSERT INTO run VALUES(2,X'01a20105480975058181ab982ad32f70','scout','','ws1','1:1','hardcase 0.1.0',1795313453065,1795313453065,NULL,1795313453641,'done','12 of 12 texts scouted by all-MiniLM-L6-v2; 12 new, 111 texts/s; prelabels: zero-shot');
INSERT INTO run VALUES(3,X'01a201054a6e70958c0b73e6fd14e2d7','mine','hybrid','ws1','1:1','hardcase 0.1.0',1795313453678,1795313453678,NULL,1795313453682,'done','round 1: 7 cases by hybrid from 12 texts: 6 to train on, 1 for evaluation, 0 for the audit; 2 of them are for more than one expert, as far as there are more (only 7 of 10 cases: the pool has no more open items)');
CREATE TABLE metric (
    id         INTEGER PRIMARY KEY,
    round      INTEGER REFERENCES round (id),
    predictor  INTEGER REFERENCES predictor (id),
    name       TEXT    NOT NULL,
    value      REAL,
    lo         REAL,
    hi         REAL,
    n          INTEGER,
    undefined  TEXT,
    created_ms INTEGER NOT NULL,
    CHECK ((value IS NULL) = (undefined IS NOT NULL))
) STRICT;
CREATE INDEX source_row_item ON source_row (item);
CREATE INDEX session_open ON session (host) WHERE ended_ms IS NULL;
CREATE INDEX label_case_item ON label_case (item);
CREATE INDEX label_event_lamport ON label_event (lamport);
CREATE INDEX label_event_item ON label_event (item, expert);
CREATE INDEX label_event_case ON label_event (label_case) WHERE label_case IS NOT NULL;
CREATE INDEX label_event_target ON label_event (target) WHERE target IS NOT NULL;
CREATE TRIGGER label_event_is_never_updated BEFORE UPDATE ON label_event
BEGIN SELECT RAISE(ABORT, 'label events are append-only'); END;
CREATE TRIGGER label_event_is_never_deleted BEFORE DELETE ON label_event
BEGIN SELECT RAISE(ABORT, 'label events are append-only'); END;
CREATE TRIGGER label_event_is_never_replaced BEFORE INSERT ON label_event
WHEN EXISTS (SELECT 1 FROM label_event e WHERE e.id = NEW.id OR e.uuid = NEW.uuid
                OR (e.session = NEW.session AND e.seq = NEW.seq))
BEGIN SELECT RAISE(ABORT, 'label events are append-only'); END;
CREATE TRIGGER task_revision_is_never_replaced BEFORE INSERT ON task_revision
WHEN EXISTS (SELECT 1 FROM task_revision r WHERE r.id = NEW.id OR r.uuid = NEW.uuid OR r.number = NEW.number)
BEGIN SELECT RAISE(ABORT, 'task revisions are append-only'); END;
CREATE TRIGGER task_revision_is_never_updated BEFORE UPDATE ON task_revision
BEGIN SELECT RAISE(ABORT, 'task revisions are append-only'); END;
CREATE TRIGGER task_revision_is_never_deleted BEFORE DELETE ON task_revision
BEGIN SELECT RAISE(ABORT, 'task revisions are append-only'); END;
CREATE VIEW standing_event AS
SELECT e.* FROM label_event e
WHERE e.action NOT IN ('retract', 'restore')
  AND 'retract' IS NOT (
      SELECT t.action FROM label_event t
      WHERE t.target = e.uuid AND t.action IN ('retract', 'restore')
      ORDER BY t.lamport DESC, t.uuid DESC LIMIT 1);
CREATE VIEW current_answer AS
SELECT e.* FROM standing_event e
WHERE e.action IN ('set', 'skip')
  AND NOT EXISTS (
      SELECT 1 FROM standing_event later
      WHERE later.item = e.item AND later.expert = e.expert AND later.action IN ('set', 'skip')
        AND (later.lamport, later.uuid) > (e.lamport, e.uuid));
CREATE UNIQUE INDEX run_one_of_a_kind ON run (kind) WHERE ended_ms IS NULL;
COMMIT;
