"""What no credential ever says, by the names that registers and case files give it.

A birth credential is shown at schools, clinics and borders for a lifetime. Statistics, informants, reasons
for delay, addresses, ethnicity, religion, protection concerns, parents' numbers and biometrics either
endanger a child there or serve nobody, so a record that carries one is refused by name: silence would teach
exporters that the field arrived. Spellings are compared without case and separators, so ``birthWeight``,
``birth_weight`` and ``Birth Weight`` are one name.
"""

from __future__ import annotations

from typing import Final

_STATISTICAL: Final = """
    apgar apgarScore attendant attendantAtBirth birthAttendant birthLength birthWeight weightAtBirth
    weightOfChild gestation gestationalAge deliveryMethod deliveryType modeOfDelivery parity gravida
    liveBirths childrenBornAlive numberOfChildren previousBirths stillbirths antenatalVisits
    education educationLevel educationalAttainment levelOfEducation literacy
    occupation profession employment employer income householdIncome wealthQuintile
    maritalStatus dateOfMarriage marriageDate ageAtMarriage wedlock legitimacy legitimate illegitimate
    statistical statistics
"""
_PROCEDURAL: Final = """
    informant informantName informantRelation informantRelationship declarant notifier
    reasonForDelay reasonForLateRegistration delayReason lateReason lateRegistrationReason
    corrected correction corrections correctionReason amended amendment amendments previousName formerName
    annotation annotations marginalNote remarks comment comments note notes
"""
_CONTACT: Final = """
    address addresses homeAddress residentialAddress postalAddress permanentAddress usualResidence residence
    placeOfResidence street streetAddress postcode postalCode zip zipCode gps coordinates latitude longitude
    geolocation phone phoneNumber telephone mobile mobileNumber email emailAddress contact contacts
"""
_SENSITIVE: Final = """
    ethnicity ethnicGroup ethnicOrigin ethnicAffiliation race tribe clan caste indigenousGroup
    religion religiousAffiliation faith denomination
    protectionConcern protectionConcerns protectionStatus protectionRisk riskLevel vulnerability
    vulnerabilities specialNeeds disability disabilities disabilityStatus hivStatus healthStatus diagnosis
    medicalHistory bloodGroup bloodType abuse trafficking traffickingIndicator traffickingIndicators
    survivor caseNotes caseId caseNumber refugeeStatusReason asylumReason causeOfDeath
"""
_NUMBERS: Final = """
    nationalId nationalIds nationalIdNumber nationalIdentifier nationalIdentityNumber nin nid uin vid
    idNumber identityNumber identityCardNumber personalNumber personalIdentityCode socialSecurityNumber ssn
    passport passportNumber taxId taxNumber voterId aadhaar aadhaarNumber nik unhcrId individualNumber
"""
_BIOMETRICS: Final = """
    biometric biometrics biometricData biometricTemplate template fingerprint fingerprints footprint
    footprints palmprint iris irisScan irisTemplate face faceImage faceTemplate facialImage photo photos
    photograph portrait picture image selfie voice voicePrint voiceprint dna dnaProfile
"""
# Registers put the person before or after the field: motherOccupation, occupation_of_father, informantPhone.
_PERSONS: Final = """
    mothers mother fathers father parents parent informants informant childs child babys baby spouse
    guardians guardian declarant
"""


def _squeeze(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


FORBIDDEN: Final = frozenset(
    _squeeze(name)
    for names in (_STATISTICAL, _PROCEDURAL, _CONTACT, _SENSITIVE, _NUMBERS, _BIOMETRICS)
    for name in names.split()
)


def is_forbidden(name: str) -> bool:
    """Say whether a field's name, in any spelling, is of something that no credential says."""
    squeezed = _squeeze(name)
    if squeezed in FORBIDDEN:
        return True
    return any(_without(squeezed, person) in FORBIDDEN for person in _PERSONS.split())


def _without(name: str, person: str) -> str:
    name = name.removeprefix(person)
    return name.removesuffix(person).removesuffix("ofthe").removesuffix("of")
