/*
 * cluster.pml: how davd's nodes fence one another. A model for Spin 6.5.
 *
 * The model has one name X (and S, the source of a MOVE), one database and NODES nodes.
 * Every request conflicts with every other request. A node is one epoch: a node that
 * restarts is another process here. The model has no clocks. A node can be declared dead
 * at any moment, even while it runs. So no result depends on a lease, a margin or a clock.
 * A pause is a process that is not scheduled, and a crash is one that is never scheduled
 * again. Spin tries every such order. Each atomic block is one SQL transaction or one call
 * of the filesystem, never both.
 *
 * README.md says how to run it. Each of the following breaks one rule of the protocol, and pan
 * must report an error:
 *
 *   NO_FENCE       the node that takes over looks at the names and changes none of them
 *   CHECK_FIRST    as NO_FENCE, but a node asks the database whether its claim is still
 *                  its own immediately before its rename
 *   UNNAMED        PUT links a file without a name (O_TMPFILE, linkat)
 *   LATE_STAGE     the stage is made after the transaction that allows the rename
 *   NO_GATE        DELETE and MOVE rename the visible name without a gate
 *   MEMBERS        DELETE unlinks visible names
 *   NO_EPOCH       an SQL commit does not look at its claim
 *   STALE_LOCK     the locks are read before the transaction of the claim
 *   RELEASE_FIRST  the claim is released before the names are fenced
 *   LOOK_FIRST     the node that takes over looks for the result before it fences
 *   GUESS          a node takes ENOENT for "nothing has happened" without asking the row
 *   KEEP_GATE      the claim ends before stage and gate are gone; a repeated call uses them
 *
 * -DKIND=1 to 5 restricts the requests of the first node to one kind, for a quick look.
 */

#ifndef NODES
#define NODES 3
#endif
#define NONE 255 /* no request; of a gate: an empty directory */
#define GONE 254 /* nothing has this name */
#define ORIG 253 /* the content at the beginning */

/* Kinds of requests. SQL is a long operation on the SQL name space: claim, then commit. */
#define NOTHING 0 /* the node only watches the others */
#define SQL     1
#define PUT     2 /* the stage comes before the claim; then rename(stage, X) */
#define COPY    3 /* the claim, then the stage, then exchange(stage, X) */
#define DELETE  4 /* rename(X, gate/x) */
#define MOVE    5 /* rename(S, gate/x), then rename(gate/x, X) */
#define LOCK    6

/* States of a claim's row. */
#define STAGING 1 /* stage or gate is being made; no change of visible names is allowed yet */
#define PLACING 2 /* the row has the names of stage and gate, and both exist */
#define DONE    3
#define UNDONE  4

/* The database. Index r is the request that node r serves. */
bool alive[NODES];   /* the node's row exists */
byte claim = NONE;   /* the request that has claimed the name */
byte owner[NODES];   /* the epoch in the row of the claim; NONE: no row */
byte row[NODES];     /* its state */
byte kind[NODES];
byte lockedBy = NONE; /* a WebDAV lock on the name */

/* The filesystem. Content is called after the request that made it. */
byte x = ORIG;
byte s = ORIG;
byte stage[NODES];   /* GONE, the new content, or the old content after an exchange */
byte gate[NODES];    /* GONE, NONE, or what was moved into it */
bool sent[NODES];    /* the first call of the commit was made; sent2: the second of a MOVE */
bool sent2[NODES];

/* For the assertions. */
byte applied[NODES]; /* how often the change of a request took effect */
byte turn[NODES];    /* the order of the claims */
byte turns = 0;
byte ackedTurn = 0;  /* the latest that was acknowledged */

#ifdef STALE_LOCK
#define UNLOCKED (read == NONE)
#else
#define UNLOCKED (lockedBy == NONE)
#endif
#if defined(NO_FENCE) || defined(CHECK_FIRST)
#define UNFENCED
#endif
#ifdef GUESS
#define TOLD_NO(r) assert(applied[r] == 0) /* the client is told that nothing happened */
#else
#define TOLD_NO(r) skip
#endif
#define OPEN(r) (row[r] == STAGING || row[r] == PLACING)
#define MINE(r, i) (owner[r] == i && claim == r && OPEN(r))

/* The change of request r takes effect at a visible name. */
inline effect(r) {
    assert(applied[r] == 0);      /* it does so once */
    assert(claim == r);           /* and only while r has the claim, */
    assert(row[r] == PLACING);    /* has recorded its names, */
    assert(lockedBy == NONE);     /* and no lock was granted, by any node */
    assert(turn[r] > ackedTurn);  /* nothing that was acknowledged later is undone */
    applied[r]++
}

/* The outcome of request r is recorded. */
inline settle(r, what) {
    assert(OPEN(r));                                  /* exactly once */
    assert((what == DONE) == (applied[r] == 1));      /* and it is true */
    row[r] = what;
    claim = NONE
}

/* Afterwards no call that was made for request r has an effect any more. */
inline fence(r) {
    if
    :: kind[r] == SQL
    :: kind[r] == PUT || kind[r] == COPY -> stage[r] = GONE /* it gets a name of its own */
    :: kind[r] == DELETE || kind[r] == MOVE ->
        do
        :: atomic { gate[r] == NONE -> gate[r] = GONE; break } /* rmdir */
        :: atomic { gate[r] == GONE -> break }
        :: atomic { kind[r] == DELETE && gate[r] != NONE && gate[r] != GONE -> gate[r] = NONE }
        :: atomic { kind[r] == MOVE && gate[r] == r -> effect(r); x = r; gate[r] = NONE }
        od
    fi
}

/* What the names say after the fence stays true. */
inline look(r) {
    seen = (kind[r] == DELETE -> x == GONE : kind[r] != SQL && x == r)
}

inline acknowledge(r) {
    assert(applied[r] == 1 && row[r] == DONE);
    if
    :: turn[r] > ackedTurn -> ackedTurn = turn[r]
    :: else
    fi
}

/* Node i serves one request, and then takes over from the dead as often as it likes. */
proctype node(byte i) {
    byte j = 0;
    byte r = 0;
    bool seen = false;
#ifdef STALE_LOCK
    byte read;
    read = lockedBy;
#endif

    atomic { /* One transaction: the epoch, the claims, the locks, the new row. */
        if
        :: kind[i] == NOTHING || !alive[i] || claim != NONE -> goto watch /* 503, 423 */
        :: else
        fi;
        if
        :: kind[i] == LOCK && lockedBy == NONE -> lockedBy = i; goto watch
        :: kind[i] == LOCK && lockedBy != NONE -> goto watch
        :: kind[i] == DELETE && x == GONE -> goto watch /* 404 */
        :: kind[i] == MOVE && s == GONE -> goto watch   /* 404 */
        :: else
        fi;
        if
        :: UNLOCKED ->
            claim = i; owner[i] = i; turns++; turn[i] = turns;
            row[i] = (kind[i] == SQL -> PLACING : STAGING)
        :: else -> goto watch /* 423 */
        fi
    }

    if
    :: kind[i] == SQL -> goto finish
    :: else
    fi;
#ifndef LATE_STAGE
    if
    :: kind[i] == COPY -> stage[i] = i
    :: kind[i] == DELETE || kind[i] == MOVE -> gate[i] = NONE
    :: else
    fi;
#endif
    atomic { /* One transaction: stage or gate is ready. Is the claim still ours? */
        if
        :: MINE(i, i) -> row[i] = PLACING
        :: else -> goto finish
        fi
    }
#ifdef LATE_STAGE
    if
    :: kind[i] == PUT || kind[i] == COPY -> stage[i] = i
    :: else -> gate[i] = NONE
    fi;
#endif
#ifdef CHECK_FIRST
    atomic { if :: MINE(i, i) :: else -> goto finish fi };
#endif

    /* The commit: one call of the filesystem, two for a MOVE. */
    if
    :: kind[i] == PUT -> atomic {
        if
#ifdef UNNAMED
        :: true -> effect(i); x = i; stage[i] = GONE
#else
        :: stage[i] != GONE -> effect(i); x = i; stage[i] = GONE
        :: true /* ENOENT, or a timeout: the network has the call */
#endif
        fi;
        sent[i] = true }
    :: kind[i] == COPY -> atomic {
        if
        :: stage[i] != GONE -> effect(i); stage[i] = x; x = i
        :: else /* ENOENT */
        fi }
    :: kind[i] == DELETE -> atomic {
        if
#if defined(MEMBERS) || defined(NO_GATE)
        :: x != GONE -> effect(i); x = GONE; gate[i] = ORIG
#else
        :: gate[i] == NONE && x != GONE -> effect(i); gate[i] = x; x = GONE
#endif
        :: true
        fi;
        sent[i] = true }
    :: kind[i] == MOVE ->
#ifdef NO_GATE
        atomic { if :: s != GONE -> effect(i); s = GONE; x = i :: else fi };
#else
        atomic {
            if :: gate[i] == NONE && s != GONE -> gate[i] = i; s = GONE :: true fi;
            sent[i] = true
        };
        atomic {
            if
            :: gate[i] == i -> effect(i); x = i; gate[i] = NONE
            :: true
            :: gate[i] != i -> TOLD_NO(i)
            fi;
            sent2[i] = true
        };
#endif
    fi;

    /* Its own call may have failed and still be on its way. So it does what a node that
       takes over does: fence, look, settle. */
#ifndef KEEP_GATE
    fence(i);
#endif
    look(i);

finish:
    atomic { /* One transaction: what follows, the outcome, the end of the claim. */
        if
#ifdef NO_EPOCH
        :: kind[i] == SQL && applied[i] == 0 ->
            effect(i); x = i; row[i] = DONE; claim = NONE
#else
        :: kind[i] == SQL && MINE(i, i) -> effect(i); x = i; settle(i, DONE)
#endif
        :: kind[i] != SQL && MINE(i, i) -> settle(i, (seen -> DONE : UNDONE))
        :: else
        fi;
        if
        :: row[i] == DONE -> acknowledge(i)
        :: row[i] == DONE -> goto finish /* The answer of COMMIT is lost: ask again. */
        :: row[i] == UNDONE              /* 503, or an error of its own */
        :: OPEN(i)                       /* 503: another node settles it */
        fi
    }

watch:
    atomic { /* One transaction: a node is taken for dead, rightly or not. */
        r = 0; seen = false;
        if
        :: alive[i] && i != 0 && alive[0] -> j = 0
        :: alive[i] && i != 1 && alive[1] -> j = 1
#if NODES > 2
        :: alive[i] && i != 2 && alive[2] -> j = 2
#endif
#if NODES > 3
        :: alive[i] && i != 3 && alive[3] -> j = 3
#endif
        :: else -> goto over
        :: skip -> goto over /* This node never looks again. */
        fi;
        alive[j] = false;
        do
        :: r < NODES ->
            if
            :: owner[r] == j -> owner[r] = i
            :: else
            fi;
            r++
        :: else -> break
        od;
        r = 0; j = 0
    }
adopt:
    do
    :: atomic { r >= NODES -> r = 0; goto watch }
    :: atomic { r < NODES && (r == i || owner[r] != i || !OPEN(r)) -> r++ }
    :: atomic { r < NODES && r != i && owner[r] == i && OPEN(r) ->
#ifdef LOOK_FIRST
        seen = (kind[r] == DELETE -> x == GONE : x == r);
#endif
        skip }
#ifdef RELEASE_FIRST
        atomic { if :: MINE(r, i) -> settle(r, (applied[r] == 1 -> DONE : UNDONE)) :: else fi };
#endif
#ifndef UNFENCED
        fence(r);
#endif
#ifndef LOOK_FIRST
        look(r);
#endif
        atomic { /* One transaction, if the row is still this node's. */
            if
            :: MINE(r, i) -> settle(r, (seen -> DONE : UNDONE))
            :: else
            fi;
            seen = false; r++
        }
    od;
over:
    skip
}

/* The network may deliver a call again, at any time, as an NFS client or a switch does. An
   exchange is left out: NFS, CephFS and SMB do not offer it, and to repeat it would undo it. */
#ifndef UNNAMED
proctype network(byte r) {
end:
    do
    :: atomic { kind[r] == PUT && sent[r] && stage[r] != GONE ->
        effect(r); x = r; stage[r] = GONE }
    :: atomic { kind[r] == DELETE && sent[r] && gate[r] != GONE && x != GONE ->
        effect(r); gate[r] = x; x = GONE }
    :: atomic { kind[r] == MOVE && sent[r] && gate[r] != GONE && (s != GONE || claim != r) ->
        assert(claim == r); gate[r] = r; s = GONE } /* Without the claim, S may be a new one. */
    :: atomic { kind[r] == MOVE && sent2[r] && gate[r] == r ->
        effect(r); x = r; gate[r] = NONE }
    od
}
#endif

init {
    byte n = 0;
    atomic {
        do
        :: n < NODES ->
            do
            :: kind[n] < LOCK -> kind[n]++
            :: break
            od;
            /* Nodes differ in nothing else, so one order of the kinds is enough. */
            if
            :: n > 0 && kind[n] < kind[n - 1] -> kind[n] = kind[n - 1]
            :: else
            fi;
#ifdef KIND
            if :: n == 0 -> kind[n] = KIND :: else fi;
#endif
            alive[n] = true; owner[n] = NONE; stage[n] = GONE; gate[n] = GONE;
#ifndef LATE_STAGE
            if
            :: kind[n] == PUT -> stage[n] = n /* The body has arrived. */
            :: else
            fi;
#endif
            n++
        :: else -> break
        od;
        n = 0;
        do
        :: n < NODES ->
            run node(n);
#ifndef UNNAMED
            if
            :: kind[n] == PUT || kind[n] == DELETE || kind[n] == MOVE -> run network(n)
            :: else
            fi;
#endif
            n++
        :: else -> break
        od
    }
}
