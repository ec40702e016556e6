// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The newest checkpoint of one transparency log, which can only grow.
/// @notice A submitter pins a checkpoint (size, root) with an RFC 6962 consistency proof from the one pinned
/// before. The proof is verified here, so that no key, not even the owner's, can shrink or fork what is
/// pinned. The contract can't be upgraded, holds no money and calls nobody but the SHA-256 precompile.
/// What it can't check is the log's Ed25519 signature: hence the list of submitters.
contract CheckpointPins {
    error NotOwner();
    error NotSubmitter();
    error NoAddress();
    /// The proof doesn't start at the size that is pinned, or the new size isn't larger and below 2^63.
    error WrongSize();
    error InvalidProof();

    event Pinned(uint64 indexed size, bytes32 root, address indexed submitter);
    event SubmitterChanged(address indexed submitter, bool allowed);
    event OwnershipOffered(address indexed owner, address indexed candidate);
    event OwnershipTaken(address indexed former, address indexed owner);

    uint64 private constant MAX_SIZE = (1 << 63) - 1;
    /// No tree below 2^63 leaves needs a longer proof.
    uint256 private constant MAX_PROOF = 64;

    /// Which log: the hash of its origin. In storage, so that every deployment has the same code.
    bytes32 public log;
    address public owner;
    address public candidate;
    mapping(address => bool) public isSubmitter;

    bytes32 private root;
    uint64 private size;
    uint64 private time;

    constructor(bytes32 log_, address owner_, address submitter) {
        if (owner_ == address(0)) revert NoAddress();
        log = log_;
        owner = owner_;
        emit OwnershipTaken(address(0), owner_);
        _setSubmitter(submitter, true);
    }

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner();
        _;
    }

    /// @notice The newest pin; all zero before the first.
    /// @return The number of leaves, the root, and the time of the block that pinned it, in seconds.
    function checkpoint() external view returns (uint64, bytes32, uint64) {
        return (size, root, time);
    }

    /// @notice Pin a larger checkpoint.
    /// @param oldSize The size that is pinned now: of two who race, the second is refused.
    /// @param proof From the pinned checkpoint to the new one (RFC 6962, section 2.1.2); empty for the first.
    function pin(uint64 oldSize, uint64 newSize, bytes32 newRoot, bytes32[] calldata proof) external {
        if (!isSubmitter[msg.sender]) revert NotSubmitter();
        if (oldSize != size || newSize <= oldSize || newSize > MAX_SIZE) revert WrongSize();
        if (proof.length > MAX_PROOF) revert InvalidProof();
        if (oldSize == 0) {
            if (proof.length != 0) revert InvalidProof();
        } else {
            _verify(oldSize, newSize, newRoot, proof);
        }
        root = newRoot;
        size = newSize;
        time = uint64(block.timestamp);
        emit Pinned(newSize, newRoot, msg.sender);
    }

    /// @notice Let an account pin, or no longer.
    function setSubmitter(address submitter, bool allowed) external onlyOwner {
        _setSubmitter(submitter, allowed);
    }

    /// @notice Offer the ownership to another account, which has to take it; zero withdraws the offer.
    function offerOwnership(address candidate_) external onlyOwner {
        candidate = candidate_;
        emit OwnershipOffered(owner, candidate_);
    }

    /// @notice Take the ownership that was offered.
    function takeOwnership() external {
        if (msg.sender != candidate) revert NotOwner();
        emit OwnershipTaken(owner, msg.sender);
        owner = msg.sender;
        candidate = address(0);
    }

    function _setSubmitter(address submitter, bool allowed) private {
        if (submitter == address(0)) revert NoAddress();
        isSubmitter[submitter] = allowed;
        emit SubmitterChanged(submitter, allowed);
    }

    /// RFC 9162, section 2.1.4.2, for 0 < oldSize < newSize.
    function _verify(uint64 oldSize, uint64 newSize, bytes32 newRoot, bytes32[] calldata proof) private view {
        bytes32 first = root;
        uint256 next = 0;
        if (oldSize & (oldSize - 1) != 0) {
            // Only a complete old tree is itself the first step, which the proof then leaves out.
            if (proof.length == 0) revert InvalidProof();
            first = proof[0];
            next = 1;
        }
        uint256 position = oldSize - 1;
        uint256 last = newSize - 1;
        while (position & 1 == 1) {
            position >>= 1;
            last >>= 1;
        }
        bytes32 oldHash = first;
        bytes32 newHash = first;
        for (; next < proof.length; ++next) {
            if (last == 0) revert InvalidProof();
            bytes32 step = proof[next];
            if (position & 1 == 1 || position == last) {
                oldHash = _node(step, oldHash);
                newHash = _node(step, newHash);
                while (position != 0 && position & 1 == 0) {
                    position >>= 1;
                    last >>= 1;
                }
            } else {
                newHash = _node(newHash, step);
            }
            position >>= 1;
            last >>= 1;
        }
        if (last != 0 || oldHash != root || newHash != newRoot) revert InvalidProof();
    }

    function _node(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return sha256(bytes.concat(hex"01", left, right));
    }
}
